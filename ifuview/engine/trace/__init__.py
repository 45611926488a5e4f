"""Where the light of a fiber lies: tracing from nothing and centers measured about a given trace."""
