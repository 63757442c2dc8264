"""What is written into the journal, and read again by another version of kangbot."""

import msgspec


class Written(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A record, or a part of one. A field that this version does not know refuses it.

    A later version wrote that field because it matters: to trade on without it would be to trade on half of a memory.
    """
