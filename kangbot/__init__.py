"""kangbot: an asyncio multi-market trading daemon.

The flow::

    venue socket → venues/*/decode → feed/stream → feed/hub → market/inbox → market/task → strategy → risk/gate
                 → execution/executor → venues/*/venue → venue

One event loop, one task and one inbox a market. Whatever happens to a market arrives in its inbox, so a market needs no
lock and its history is one sequence. A strategy answers with a target; the difference to the position becomes intents;
an intent is in the journal before a byte leaves. Decisions live in `machines`, `strategy` and `risk`, which import no
clock, no chance and no I/O; shells do what they say.

Begin reading at `model/events.py` (what can happen), then `market/task.py` (what a market does about it), then
`app/` (how it is put together). `docs/architecture.md` has the picture and the reasons.
"""
