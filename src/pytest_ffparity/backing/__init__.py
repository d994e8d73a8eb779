"""Where flags live: two JSON documents, or a Postgres schema, and servers to keep it on."""
