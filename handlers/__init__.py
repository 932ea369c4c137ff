"""The functions that the operations of spec/ name: one module for each tag, one function for each operationId."""
