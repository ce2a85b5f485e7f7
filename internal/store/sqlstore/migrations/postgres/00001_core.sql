-- +goose Up

-- A resource of any kind. Record 0 is store.Root. Ids are compared byte by
-- byte (collation C), as SQLite and Go do, whatever the database's locale.
CREATE TABLE resource (
    pk       BIGINT   PRIMARY KEY,
    instance BIGINT   NOT NULL REFERENCES resource (pk) ON DELETE CASCADE,
    kind     SMALLINT NOT NULL,
    id       TEXT     COLLATE "C" NOT NULL,
    name     TEXT     NOT NULL,
    name_key TEXT     COLLATE "C",
    version  BIGINT   NOT NULL,
    created  BIGINT   NOT NULL, -- microseconds since 1970, as everywhere here
    modified BIGINT   NOT NULL,
    tags     TEXT,              -- a JSON object
    doc      TEXT     NOT NULL, -- JSON
    CONSTRAINT resource_id UNIQUE (instance, kind, id)
);

CREATE UNIQUE INDEX resource_name_key ON resource (instance, kind, name_key)
    WHERE name_key IS NOT NULL;

-- What a resource refers to. The database refuses to delete what is referred
-- to, and to refer to what does not exist.
CREATE TABLE ref (
    from_pk BIGINT NOT NULL REFERENCES resource (pk) ON DELETE CASCADE,
    role    TEXT   COLLATE "C" NOT NULL,
    to_pk   BIGINT NOT NULL REFERENCES resource (pk) ON DELETE NO ACTION,
    PRIMARY KEY (from_pk, role, to_pk)
);

CREATE INDEX ref_to ON ref (to_pk, role, from_pk);

-- The log of changes: op 1 is a put, 2 a removal (store.Op). Seq is drawn one
-- by one as the last thing before a commit; gaps are transactions that failed
-- or are about to commit.
CREATE TABLE change (
    seq      BIGINT   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    op       SMALLINT NOT NULL,
    pk       BIGINT   NOT NULL,
    instance BIGINT   NOT NULL,
    kind     SMALLINT NOT NULL,
    id       TEXT     NOT NULL,
    version  BIGINT   NOT NULL,
    at       BIGINT   NOT NULL
);

CREATE TABLE memo (
    key         TEXT   PRIMARY KEY,
    fingerprint BYTEA  NOT NULL,
    answer      BYTEA  NOT NULL,
    expires     BIGINT NOT NULL
);

CREATE INDEX memo_expires ON memo (expires);

-- The first value of a counter that nobody has been given.
CREATE TABLE counter (
    name TEXT   PRIMARY KEY,
    next BIGINT NOT NULL
);

INSERT INTO counter (name, next) VALUES ('pk', 1);

INSERT INTO resource (pk, instance, kind, id, name, version, created, modified, doc)
VALUES (0, 0, 0, 'root', 'root', 1, 0, 0, '');
