-- +goose Up

-- A resource of any kind. Record 0 is store.Root. INTEGER PRIMARY KEY makes pk
-- the row's own address; doc stands last, so that a list of headers does not
-- walk the overflow pages of long documents. Keys and ids grow with time
-- (UUIDv7), so a list in the order of ids reads neighbouring rows.
CREATE TABLE resource (
    pk       INTEGER PRIMARY KEY,
    instance INTEGER NOT NULL REFERENCES resource (pk) ON DELETE CASCADE,
    kind     INTEGER NOT NULL,
    id       TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    name_key TEXT,
    version  INTEGER NOT NULL,
    created  INTEGER NOT NULL, -- microseconds since 1970, as everywhere here
    modified INTEGER NOT NULL,
    tags     TEXT,             -- a JSON object
    doc      TEXT    NOT NULL, -- JSON
    UNIQUE (instance, kind, id)
) STRICT;

CREATE UNIQUE INDEX resource_name_key ON resource (instance, kind, name_key)
    WHERE name_key IS NOT NULL;

-- What a resource refers to. The database refuses to delete what is referred
-- to, and to refer to what does not exist.
CREATE TABLE ref (
    from_pk INTEGER NOT NULL REFERENCES resource (pk) ON DELETE CASCADE,
    role    TEXT    NOT NULL,
    to_pk   INTEGER NOT NULL REFERENCES resource (pk) ON DELETE NO ACTION,
    PRIMARY KEY (from_pk, role, to_pk)
) STRICT, WITHOUT ROWID;

CREATE INDEX ref_to ON ref (to_pk, role, from_pk);

-- The log of changes: op 1 is a put, 2 a removal (store.Op).
CREATE TABLE change (
    seq      INTEGER PRIMARY KEY,
    op       INTEGER NOT NULL,
    pk       INTEGER NOT NULL,
    instance INTEGER NOT NULL,
    kind     INTEGER NOT NULL,
    id       TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    at       INTEGER NOT NULL
) STRICT;

CREATE TABLE memo (
    key         TEXT PRIMARY KEY,
    fingerprint BLOB    NOT NULL,
    answer      BLOB    NOT NULL,
    expires     INTEGER NOT NULL
) STRICT;

CREATE INDEX memo_expires ON memo (expires);

-- The first value of a counter that nobody has been given.
CREATE TABLE counter (
    name TEXT PRIMARY KEY,
    next INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO counter (name, next) VALUES ('pk', 1);

INSERT INTO resource (pk, instance, kind, id, name, version, created, modified, doc)
VALUES (0, 0, 0, 'root', 'root', 1, 0, 0, '');
