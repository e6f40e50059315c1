"""An Azure Functions host on loopback: Microsoft's Python worker library, driven as the real host drives it."""
