"""The send buffer of a connection."""

import array
import asyncio
import fcntl
import termios


def unsent_bytes(transport: asyncio.Transport) -> int:
    """Returns the bytes that the client has not acknowledged, in our buffer and the socket's if known."""
    return transport.get_write_buffer_size() + _in_the_system(transport)


def _in_the_system(transport: asyncio.Transport) -> int:
    unsent = array.array("i", [0])
    try:
        fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, unsent)  # tcp(7): SIOCOUTQ
    except (OSError, ValueError):  # it has just been closed
        return 0
    return unsent[0]
