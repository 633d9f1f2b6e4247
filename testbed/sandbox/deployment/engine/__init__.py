"""MiniStack's CloudFormation, Lambda and other services, with what they lack added; runs in a process of its own."""
