"""What only Lambda needs: handlers around the functions, secrets, and metrics as log lines."""
