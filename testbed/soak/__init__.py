"""Long runs at full size, beside `make test`: `make soak`."""
