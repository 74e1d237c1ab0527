-- The first tables. Times are UTC; a column named github_… holds GitHub's id, every other id is ours.

CREATE EXTENSION IF NOT EXISTS vector;

DO $$
BEGIN
    IF (SELECT string_to_array(extversion, '.')::int[] < ARRAY[0, 8] FROM pg_extension WHERE extname = 'vector') THEN
        RAISE EXCEPTION 'vector is older than 0.8: update pgvector, then ALTER EXTENSION vector UPDATE';
    END IF;
END $$;

-- Roles belong to the whole server, so another database's migration may be making them at this moment.
DO $$
DECLARE wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['refactoriq_tenant', 'refactoriq_system'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END;
        END IF;
        -- Since Postgres 16 whoever creates a role is its member, yet may not take it on before it is granted.
        IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AND NOT pg_has_role(
            current_user, wanted, CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END
        ) THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
        END IF;
    END LOOP;
END $$;

CREATE TABLE organizations (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    github_id bigint UNIQUE,
    login text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('Organization', 'User', 'Personal')),
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE organizations IS 'The tenants: a GitHub account that installed the app, or the personal one of a registered user.';

CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id bigint NOT NULL REFERENCES organizations ON DELETE CASCADE,
    email text NOT NULL,
    full_name text NOT NULL DEFAULT '',
    password_hash text,
    github_id bigint UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX users_email ON users (lower(email));
CREATE INDEX users_organization ON users (organization_id);

CREATE TABLE installations (
    id bigint PRIMARY KEY,
    organization_id bigint NOT NULL REFERENCES organizations ON DELETE CASCADE,
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended', 'removed')),
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN installations.id IS 'The id that GitHub gave it.';
CREATE INDEX installations_organization ON installations (organization_id);

CREATE TABLE repositories (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id bigint NOT NULL REFERENCES organizations ON DELETE CASCADE,
    github_id bigint NOT NULL,
    full_name text NOT NULL,
    private boolean NOT NULL,
    default_branch text NOT NULL,
    removed boolean NOT NULL DEFAULT false,
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organization_id, github_id),
    UNIQUE (organization_id, id)
);
COMMENT ON TABLE repositories IS
    'What refers to one of these names its tenant too: a foreign key is checked without row-level security.';

-- Written for every webhook, so it is narrow. account_id, installation_id and repository_id are GitHub's.
CREATE TABLE deliveries (
    id text PRIMARY KEY,
    sequence bigint GENERATED ALWAYS AS IDENTITY,
    event text NOT NULL,
    action text NOT NULL,
    account_id bigint,
    installation_id bigint,
    repository_id bigint,
    pull_number integer,
    head_sha text,
    state text NOT NULL CHECK (state IN ('received', 'running', 'retrying', 'ignored', 'done', 'superseded', 'failed')),
    outcome text NOT NULL DEFAULT '',
    job bytea,
    attempts smallint NOT NULL DEFAULT 0,
    received_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX deliveries_unfinished ON deliveries (sequence) WHERE state IN ('received', 'running', 'retrying', 'failed');
-- For forgetting the old ones: rows come in the order of their time, so that a few bytes for each 128 pages are enough.
CREATE INDEX deliveries_received ON deliveries USING brin (received_at);
CREATE INDEX deliveries_pull ON deliveries (repository_id, pull_number) WHERE pull_number IS NOT NULL;

CREATE TABLE analyses (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id bigint NOT NULL REFERENCES organizations ON DELETE CASCADE,
    repository_id bigint NOT NULL,
    number integer,
    head_sha text NOT NULL,
    changed_lines integer NOT NULL,
    partial boolean NOT NULL,
    record jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, repository_id) REFERENCES repositories (organization_id, id) ON DELETE CASCADE
);
COMMENT ON COLUMN analyses.record IS 'read, skipped, analyzers, models, usage, notes, context, no_context, timings';
CREATE INDEX analyses_repository ON analyses (organization_id, repository_id, created_at DESC);

CREATE TABLE findings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id bigint NOT NULL REFERENCES organizations ON DELETE CASCADE,
    analysis_id bigint NOT NULL,
    fingerprint text NOT NULL,
    path text NOT NULL,
    side text NOT NULL,
    first_line integer NOT NULL,
    last_line integer NOT NULL,
    severity text NOT NULL,
    category text NOT NULL,
    source text NOT NULL,
    rule text NOT NULL,
    message text NOT NULL,
    quote text NOT NULL,
    confidence real NOT NULL,
    suggestion jsonb,
    cites jsonb NOT NULL DEFAULT '[]',
    dropped_because text,
    FOREIGN KEY (organization_id, analysis_id) REFERENCES analyses (organization_id, id) ON DELETE CASCADE
);
COMMENT ON COLUMN findings.dropped_because IS 'Why it was not posted; NULL where it was, or was to be.';
CREATE INDEX findings_analysis ON findings (analysis_id);

CREATE TABLE reviews (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id bigint NOT NULL REFERENCES organizations ON DELETE CASCADE,
    repository_id bigint NOT NULL,
    number integer NOT NULL,
    head_sha text NOT NULL,
    base_ref text NOT NULL,
    delivery_id text NOT NULL,
    tries integer NOT NULL DEFAULT 1,
    state text NOT NULL CHECK (state IN ('in_progress', 'posting', 'posted', 'superseded', 'failed')),
    heartbeat_at timestamptz NOT NULL DEFAULT now(),
    analysis_id bigint,
    planned jsonb,
    fingerprints text[] NOT NULL DEFAULT '{}',
    github_review_id bigint,
    body text NOT NULL DEFAULT '',
    is_note boolean NOT NULL DEFAULT false,
    outcome text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    posted_at timestamptz,
    UNIQUE (repository_id, number, head_sha, base_ref),
    FOREIGN KEY (organization_id, repository_id) REFERENCES repositories (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, analysis_id) REFERENCES analyses (organization_id, id)
);
COMMENT ON COLUMN reviews.tries IS 'How often it was claimed. A job whose number is no longer this one has lost the review to another.';
COMMENT ON COLUMN reviews.planned IS 'The review as it is to be posted, kept before the post: a crash loses no thought.';

CREATE TABLE proposals (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id bigint NOT NULL REFERENCES organizations ON DELETE CASCADE,
    repository_id bigint NOT NULL,
    analysis_id bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('proposed', 'approved', 'applied', 'rejected', 'failed')),
    patch text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (organization_id, repository_id) REFERENCES repositories (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, analysis_id) REFERENCES analyses (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX proposals_repository ON proposals (organization_id, repository_id);

-- The code index: what one repository's default branch holds. Every row belongs to one repository; see docs/decisions/0008-code-index.md.
CREATE TABLE code_indexes (
    organization_id bigint NOT NULL,
    repository_id bigint NOT NULL PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('wanted', 'running', 'ready', 'failed')),
    tries integer NOT NULL DEFAULT 1,
    heartbeat_at timestamptz NOT NULL DEFAULT now(),
    because text NOT NULL DEFAULT '',
    commit_sha text NOT NULL DEFAULT '',
    embedder text NOT NULL DEFAULT '',
    models text[] NOT NULL DEFAULT '{}',
    files integer NOT NULL DEFAULT 0,
    words bigint NOT NULL DEFAULT 0,
    chunks integer NOT NULL DEFAULT 0,
    changesets integer NOT NULL DEFAULT 0,
    last_number integer NOT NULL DEFAULT 0,
    skipped jsonb NOT NULL DEFAULT '{}',
    indexed_at timestamptz,
    FOREIGN KEY (organization_id, repository_id) REFERENCES repositories (organization_id, id) ON DELETE CASCADE
);
COMMENT ON COLUMN code_indexes.tries IS 'How often it was claimed. A job whose number is no longer this one has lost it to another.';
COMMENT ON COLUMN code_indexes.embedder IS 'Whose vectors retrieval looks through. models are all that vectors may be kept of.';
COMMENT ON COLUMN code_indexes.last_number IS 'The highest number that a file of this repository ever had.';
COMMENT ON COLUMN code_indexes.skipped IS 'How many files were left out, by reason.';

CREATE TABLE code_blobs (
    id bigint GENERATED ALWAYS AS IDENTITY,
    organization_id bigint NOT NULL,
    repository_id bigint NOT NULL,
    sha text COLLATE "C" NOT NULL,
    language text COLLATE "C" NOT NULL,
    length integer NOT NULL,
    chunks integer NOT NULL,
    note text NOT NULL,
    words text[] NOT NULL,
    counts integer[] NOT NULL,
    defined text[] NOT NULL,
    used text[] NOT NULL,
    PRIMARY KEY (repository_id, id, organization_id),
    UNIQUE (organization_id, sha, language, repository_id),
    FOREIGN KEY (organization_id, repository_id) REFERENCES repositories (organization_id, id) ON DELETE CASCADE
);
COMMENT ON COLUMN code_blobs.words IS 'With counts, defined and used: what its files put into the postings, and take out again.';

CREATE TABLE code_chunks (
    id bigint GENERATED ALWAYS AS IDENTITY,
    organization_id bigint NOT NULL,
    repository_id bigint NOT NULL,
    blob_id bigint NOT NULL,
    ordinal integer NOT NULL,
    kind text NOT NULL,
    symbol text NOT NULL,
    signature text NOT NULL,
    doc text NOT NULL,
    first_line integer NOT NULL,
    last_line integer NOT NULL,
    text text NOT NULL,
    PRIMARY KEY (repository_id, id, organization_id),
    UNIQUE (repository_id, blob_id, ordinal),
    FOREIGN KEY (organization_id, repository_id, blob_id) REFERENCES code_blobs (organization_id, repository_id, id) ON DELETE CASCADE
);

-- Of any dimension. The largest repositories have an HNSW index of their own: see storage/code/nearest.py.
CREATE TABLE code_vectors (
    organization_id bigint NOT NULL,
    repository_id bigint NOT NULL,
    chunk_id bigint NOT NULL,
    blob_id bigint NOT NULL,
    ordinal integer NOT NULL,
    model text COLLATE "C" NOT NULL,
    embedding halfvec NOT NULL,
    PRIMARY KEY (repository_id, chunk_id, model),
    FOREIGN KEY (organization_id, repository_id, chunk_id) REFERENCES code_chunks (organization_id, repository_id, id) ON DELETE CASCADE
);

CREATE TABLE code_files (
    organization_id bigint NOT NULL,
    repository_id bigint NOT NULL,
    number integer NOT NULL,
    path text COLLATE "C" NOT NULL,
    folder text COLLATE "C" NOT NULL,
    stem text COLLATE "C" NOT NULL,
    blob_id bigint NOT NULL,
    sha text COLLATE "C" NOT NULL,
    language text COLLATE "C" NOT NULL,
    length integer NOT NULL,
    chunks integer NOT NULL,
    PRIMARY KEY (repository_id, number),
    UNIQUE (repository_id, path),
    FOREIGN KEY (organization_id, repository_id, blob_id) REFERENCES code_blobs (organization_id, repository_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE code_files IS 'What retrieval sees. The numbers are those in the postings.';
CREATE INDEX code_files_folder ON code_files (repository_id, folder, path);
CREATE INDEX code_files_stem ON code_files (repository_id, stem, path);
CREATE INDEX code_files_blob ON code_files (repository_id, blob_id);

CREATE TABLE code_postings (
    organization_id bigint NOT NULL,
    repository_id bigint NOT NULL,
    kind "char" NOT NULL CHECK (kind IN ('w', 'd', 'u')),
    term text COLLATE "C" NOT NULL,
    segment integer NOT NULL,
    files bytea NOT NULL,
    counts bytea NOT NULL,
    PRIMARY KEY (repository_id, kind, term, segment),
    FOREIGN KEY (organization_id, repository_id) REFERENCES repositories (organization_id, id) ON DELETE CASCADE
) WITH (toast_tuple_target = 8160);
COMMENT ON TABLE code_postings IS
    'Which files hold a word (w) and how often, define a name (d), use a name (u). A segment is a run of file numbers.';
COMMENT ON COLUMN code_postings.files IS 'Four bytes for each number, ascending: an array would be taken apart for each reader.';

CREATE TABLE code_changesets (
    organization_id bigint NOT NULL,
    repository_id bigint NOT NULL,
    number integer NOT NULL,
    sha text NOT NULL,
    at bigint NOT NULL,
    paths text[] NOT NULL,
    PRIMARY KEY (repository_id, number),
    FOREIGN KEY (organization_id, repository_id) REFERENCES repositories (organization_id, id) ON DELETE CASCADE
);
COMMENT ON COLUMN code_changesets.at IS 'Seconds since 1970.';

CREATE TABLE code_changes (
    organization_id bigint NOT NULL,
    repository_id bigint NOT NULL,
    path text COLLATE "C" NOT NULL,
    numbers integer[] NOT NULL,
    PRIMARY KEY (repository_id, path),
    FOREIGN KEY (organization_id, repository_id) REFERENCES repositories (organization_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE code_changes IS 'The numbers of the changesets that touched a path, ascending.';

-- Looked up by their keys only: what else ANALYZE would find out about them costs seconds and serves nobody.
ALTER TABLE code_blobs ALTER words SET STATISTICS 0, ALTER counts SET STATISTICS 0, ALTER defined SET STATISTICS 0,
    ALTER used SET STATISTICS 0;
ALTER TABLE code_chunks ALTER symbol SET STATISTICS 0, ALTER signature SET STATISTICS 0, ALTER doc SET STATISTICS 0,
    ALTER text SET STATISTICS 0;
ALTER TABLE code_vectors ALTER embedding SET STATISTICS 0;
ALTER TABLE code_postings ALTER files SET STATISTICS 0, ALTER counts SET STATISTICS 0;
ALTER TABLE code_changesets ALTER paths SET STATISTICS 0;
ALTER TABLE code_changes ALTER numbers SET STATISTICS 0;

CREATE TABLE audit_logs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id bigint NOT NULL REFERENCES organizations ON DELETE CASCADE,
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    details jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_logs_at ON audit_logs (organization_id, at DESC);

-- Row-level security: forced, so that even the owner is subject to it. The two roles own nothing and cannot bypass it.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['users', 'installations', 'repositories', 'analyses', 'findings', 'reviews', 'proposals',
                                'audit_logs'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY tenant ON %I TO refactoriq_tenant'
            ' USING (organization_id = (SELECT nullif(current_setting(''app.tenant'', true), '''')::bigint))', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO refactoriq_tenant', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['organizations', 'deliveries'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['organizations', 'installations', 'repositories', 'deliveries'] LOOP
        EXECUTE format('CREATE POLICY system ON %I TO refactoriq_system USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO refactoriq_system', name);
    END LOOP;
END $$;

-- Code is seen only by those who name the repository too: a transaction that is not about its code sees none of it.
-- coalesce changes nothing about who sees what. It keeps the planner from taking tenant and repository, which say the same as
-- the query's own condition, for two more that hold rarely: it would expect one row where there are 100,000.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['code_indexes', 'code_blobs', 'code_chunks', 'code_vectors', 'code_files', 'code_postings',
                                'code_changesets', 'code_changes'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY repository ON %I TO refactoriq_tenant'
            ' USING (coalesce(organization_id = (SELECT nullif(current_setting(''app.tenant'', true), '''')::bigint), false)'
            ' AND coalesce(repository_id = ANY ('
            '(SELECT nullif(current_setting(''app.repositories'', true), '''')::bigint[])::bigint[]), false))', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO refactoriq_tenant', name);
    END LOOP;
END $$;

CREATE POLICY tenant ON organizations TO refactoriq_tenant
    USING (id = (SELECT nullif(current_setting('app.tenant', true), '')::bigint));
GRANT SELECT, UPDATE (login) ON organizations TO refactoriq_tenant;

CREATE POLICY tenant ON deliveries FOR SELECT TO refactoriq_tenant
    USING (account_id = (SELECT github_id FROM organizations
                         WHERE id = (SELECT nullif(current_setting('app.tenant', true), '')::bigint)));
GRANT SELECT ON deliveries TO refactoriq_tenant;

-- What was done stays on record: nobody but the owner can change or remove it.
REVOKE UPDATE, DELETE ON audit_logs FROM refactoriq_tenant;
CREATE POLICY system ON audit_logs FOR INSERT TO refactoriq_system WITH CHECK (true);
GRANT INSERT ON audit_logs TO refactoriq_system;

GRANT USAGE ON SCHEMA public TO refactoriq_tenant, refactoriq_system;
