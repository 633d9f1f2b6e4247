"""The subcommands of `frontdoor`: one module for each, with the function that `cli.command` registers."""
