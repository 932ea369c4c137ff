"""MCP: the operations of the contract as tools."""
