"""The headless application: state, intents, jobs, services and views. No Qt below this line of the house."""
