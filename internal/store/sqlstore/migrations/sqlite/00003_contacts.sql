-- +goose Up

-- Contacts and what happens to them are many, are written often and go by time,
-- so they have tables of their own. Each index costs on every write: there is
-- one for each question of store.ContactQuery and store.EntryQuery, and one
-- beginning with the instance, by which rows go with it (without that, the
-- removal of any resource would read the table through).

-- A contact. The ids of other contacts are NULL where they are none, or the
-- contact's own, which spares most contacts the entry in an index. The long
-- columns stand last, so that reading the others does not walk their pages.
CREATE TABLE contact (
    pk             INTEGER PRIMARY KEY,
    instance       INTEGER NOT NULL REFERENCES resource (pk) ON DELETE CASCADE,
    id             TEXT    NOT NULL,
    initial_id     TEXT,
    previous_id    TEXT,
    related_id     TEXT,
    association_id TEXT,
    live           INTEGER NOT NULL, -- 0 or 1
    initiated      INTEGER NOT NULL, -- times in microseconds since 1970
    scheduled      INTEGER,
    enqueued       INTEGER,
    connected      INTEGER,
    disconnected   INTEGER,
    version        INTEGER NOT NULL,
    doc            TEXT    NOT NULL, -- JSON
    state          TEXT,             -- JSON
    UNIQUE (instance, id)
) STRICT;

CREATE UNIQUE INDEX contact_live         ON contact (id) WHERE live = 1;
CREATE        INDEX contact_initial      ON contact (instance, initial_id, id)     WHERE initial_id IS NOT NULL;
CREATE        INDEX contact_previous     ON contact (instance, previous_id, id)    WHERE previous_id IS NOT NULL;
CREATE        INDEX contact_related      ON contact (instance, related_id, id)     WHERE related_id IS NOT NULL;
CREATE        INDEX contact_association  ON contact (instance, association_id, id) WHERE association_id IS NOT NULL;
CREATE        INDEX contact_initiated    ON contact (instance, initiated);
CREATE        INDEX contact_scheduled    ON contact (instance, scheduled)    WHERE scheduled IS NOT NULL;
CREATE        INDEX contact_enqueued     ON contact (instance, enqueued)     WHERE enqueued IS NOT NULL;
CREATE        INDEX contact_connected    ON contact (instance, connected)    WHERE connected IS NOT NULL;
CREATE        INDEX contact_disconnected ON contact (instance, disconnected) WHERE disconnected IS NOT NULL;

-- The attributes of a chain of contacts, by its first contact.
CREATE TABLE contact_attributes (
    instance   INTEGER NOT NULL REFERENCES resource (pk) ON DELETE CASCADE,
    initial_id TEXT    NOT NULL,
    doc        TEXT    NOT NULL, -- a JSON object
    PRIMARY KEY (instance, initial_id)
) STRICT;

-- What happened: store.Entry. Seq comes from the counter of keys, so that a
-- number is not used again when the entries that had it are gone. An index of
-- SQLite ends with seq, the address of the row, by itself.
CREATE TABLE entry (
    seq      INTEGER PRIMARY KEY,
    stream   INTEGER NOT NULL,
    instance INTEGER NOT NULL REFERENCES resource (pk) ON DELETE CASCADE,
    owner    TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    doc      TEXT    NOT NULL -- JSON
) STRICT;

CREATE INDEX entry_stream ON entry (stream);
CREATE INDEX entry_owner  ON entry (instance, owner, stream);

-- Up to which number no entry appears any more: with one writer that is every
-- number that can be seen.
INSERT INTO counter (name, next) VALUES ('settled', 9223372036854775807);

-- How far the reader of a stream has come.
CREATE TABLE cursor (
    name TEXT PRIMARY KEY,
    seq  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who does what only one server may do, and until when.
CREATE TABLE lease (
    name   TEXT PRIMARY KEY,
    holder TEXT    NOT NULL,
    until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
