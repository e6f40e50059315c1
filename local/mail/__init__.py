"""
The e-mail endpoint of the local stack: Azure Communication Services to the app, an inbox to people and tests.

`python -m local.mail --port 8025` speaks the service's REST interface (`POST /emails:send`, api-versions 2023-03-31 to
2025-09-01), keeps what it is sent instead of delivering it, and shows it at `/`. It fails to order: `PUT /behaviour`.
With `--reports` it tells later, through a storage queue, what became of each mail.
The newest 10,000 messages are kept, in memory and with `--data` in a file there.
"""
