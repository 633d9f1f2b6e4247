"""One module for each measure: it takes the stage and records samples and gaps on it."""
