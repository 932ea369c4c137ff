"""The door for MCP: the operations of the contract as tools."""
