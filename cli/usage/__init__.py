"""What clients have pulled, from the proxy's access log."""
