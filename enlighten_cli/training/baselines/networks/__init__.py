"""The networks of other papers."""
