"""The headless application: state, intents, jobs, columns and views. No Qt below this line of the house."""
