"""Data from sockets to inboxes: sessions, and many subscriptions over few sockets."""
