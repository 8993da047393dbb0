"""Facts that pyinfra lacks: things read from a host, never changed."""
