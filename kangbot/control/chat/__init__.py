"""Commands from a chat: `commands` understands and answers a line, `telegram` carries the lines."""
