"""The spec: YAML into validated, positioned data, and that into cases."""
