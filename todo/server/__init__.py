"""The server in each worker: uvicorn's protocol, with limits on what a connection may cost."""
