"""The one way into every HTTP target."""
