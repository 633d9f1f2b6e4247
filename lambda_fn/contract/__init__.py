"""The facts that the Lambda, the charts, the stacks and the command line share. Pure."""
