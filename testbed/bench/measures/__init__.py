"""What is measured, one module each; every one takes the stage and leaves samples and gaps on it."""
