-- The API: accounts, members and what they may see, uploads, analyses that people ask for, proposals, reports, exports, audit.

-- Both were tables that nothing ever wrote to.
DROP TABLE proposals;
DROP TABLE users;

-- A third role: it reads for one caller, in all organizations of theirs at once, and writes nothing. A replica will do.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'refactoriq_reader') THEN
        BEGIN
            CREATE ROLE refactoriq_reader NOLOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END IF;
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AND NOT pg_has_role(
        current_user, 'refactoriq_reader',
        CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END
    ) THEN
        GRANT refactoriq_reader TO CURRENT_USER;
    END IF;
END $$;
GRANT USAGE ON SCHEMA public TO refactoriq_reader;

-- People ---------------------------------------------------------------------------------------------------------------

CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    home_id bigint NOT NULL REFERENCES organizations,
    email text,
    full_name text NOT NULL DEFAULT '',
    password_hash text,
    github_id bigint UNIQUE,
    github_login text NOT NULL DEFAULT '',
    github_tokens bytea,
    administrator boolean NOT NULL DEFAULT false,
    confirmed_at timestamptz,
    disabled_at timestamptz,
    last_login_at timestamptz,
    seen_on_github_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE users IS 'People belong to no tenant: members says which organizations are theirs.';
COMMENT ON COLUMN users.home_id IS 'Their own organization, of the kind Personal.';
COMMENT ON COLUMN users.github_tokens IS 'What GitHub lets us act for them with, encrypted under SECRET_KEY.';
COMMENT ON COLUMN users.administrator IS 'Of this instance: that is no role in any organization.';
COMMENT ON COLUMN users.seen_on_github_at IS 'When we last asked GitHub what they may see.';
CREATE UNIQUE INDEX users_email ON users (lower(email));
CREATE INDEX users_beginning_with ON users ((lower(email) COLLATE "C"));
CREATE INDEX users_administrators ON users (id) WHERE administrator;

CREATE TABLE user_links (
    hash bytea PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    purpose text NOT NULL CHECK (purpose IN ('confirm_email', 'reset_password')),
    email text NOT NULL,
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE user_links IS 'What was mailed to people to prove themselves with: each is good once, and only its hash is kept.';
CREATE INDEX user_links_user ON user_links (user_id);

CREATE TABLE api_keys (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    name text NOT NULL,
    start text NOT NULL,
    hash bytea NOT NULL UNIQUE,
    scopes text[] NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN api_keys.start IS 'Its first characters, by which people tell their keys apart.';
CREATE INDEX api_keys_user ON api_keys (user_id, id DESC);

CREATE TABLE idempotency_keys (
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    key text NOT NULL,
    request bytea NOT NULL,
    status smallint,
    headers jsonb,
    answer bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key)
);
COMMENT ON COLUMN idempotency_keys.request IS 'The hash of method, path and body. A key that comes with another one is a mistake.';
COMMENT ON COLUMN idempotency_keys.status IS 'NULL while the first request is still being answered.';
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);

CREATE TABLE members (
    organization_id bigint NOT NULL REFERENCES organizations ON DELETE CASCADE,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    role text CHECK (role IN ('owner', 'admin', 'maintainer', 'member', 'viewer')),
    github_role text CHECK (github_role IN ('owner', 'member', 'viewer')),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, user_id),
    CHECK (role IS NOT NULL OR github_role IS NOT NULL)
);
COMMENT ON COLUMN members.role IS 'The one that was set here. It stands before GitHub''s, but an owner by GitHub stays one.';
COMMENT ON COLUMN members.github_role IS 'owner: GitHub''s admin of the organization; viewer: a collaborator of single repositories.';
CREATE INDEX members_user ON members (user_id);

CREATE TABLE repository_readers (
    organization_id bigint NOT NULL,
    repository_id bigint NOT NULL,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    permission text NOT NULL CHECK (permission IN ('read', 'triage', 'write', 'maintain', 'admin')),
    PRIMARY KEY (user_id, repository_id),
    FOREIGN KEY (organization_id, repository_id) REFERENCES repositories (organization_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE repository_readers IS 'Who may read what on GitHub, as GitHub said when it was last asked.';
CREATE INDEX repository_readers_repository ON repository_readers (repository_id);

ALTER TABLE repositories ADD settings jsonb NOT NULL DEFAULT '{}';
CREATE INDEX repositories_name ON repositories (organization_id, full_name);

-- Uploads --------------------------------------------------------------------------------------------------------------

CREATE TABLE uploads (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id bigint NOT NULL REFERENCES organizations ON DELETE CASCADE,
    user_id bigint REFERENCES users ON DELETE SET NULL,
    object_key text NOT NULL,
    files integer NOT NULL,
    size bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    UNIQUE (organization_id, id)
);
COMMENT ON COLUMN uploads.object_key IS 'One zip in the object store that holds all the files.';
CREATE INDEX uploads_organization ON uploads (organization_id, id DESC);
CREATE INDEX uploads_expires ON uploads (expires_at);

CREATE TABLE upload_files (
    organization_id bigint NOT NULL,
    upload_id bigint NOT NULL,
    ordinal integer NOT NULL,
    filename text COLLATE "C" NOT NULL,
    size bigint NOT NULL,
    type text NOT NULL,
    PRIMARY KEY (upload_id, ordinal),
    UNIQUE (upload_id, filename),
    FOREIGN KEY (organization_id, upload_id) REFERENCES uploads (organization_id, id) ON DELETE CASCADE
);

-- Analyses -------------------------------------------------------------------------------------------------------------

ALTER TABLE analyses
    ALTER repository_id DROP NOT NULL,
    ALTER head_sha SET DEFAULT '',
    ALTER changed_lines SET DEFAULT 0,
    ALTER partial SET DEFAULT false,
    ALTER record SET DEFAULT '{}',
    ADD subject text NOT NULL DEFAULT 'pull_request' CHECK (subject IN ('pull_request', 'upload', 'repository')),
    ADD upload_id bigint,
    ADD ref text NOT NULL DEFAULT '',
    ADD requested_by bigint REFERENCES users ON DELETE SET NULL,
    ADD analysis_type text NOT NULL DEFAULT 'full'
        CHECK (analysis_type IN ('full', 'security', 'performance', 'style', 'refactoring')),
    ADD options jsonb NOT NULL DEFAULT '{}',
    ADD title text NOT NULL DEFAULT '',
    ADD tags text[] NOT NULL DEFAULT '{}',
    ADD status text NOT NULL DEFAULT 'completed' CHECK (status IN ('queued', 'running', 'completed', 'failed', 'cancelled')),
    ADD progress smallint NOT NULL DEFAULT 100 CHECK (progress BETWEEN 0 AND 100),
    ADD message text NOT NULL DEFAULT '',
    ADD error text NOT NULL DEFAULT '',
    ADD score real,
    ADD metrics jsonb NOT NULL DEFAULT '{}',
    ADD severities jsonb NOT NULL DEFAULT '{}',
    ADD estimated_seconds real,
    ADD tries integer NOT NULL DEFAULT 0,
    ADD heartbeat_at timestamptz NOT NULL DEFAULT now(),
    ADD started_at timestamptz,
    ADD finished_at timestamptz,
    ADD scope bigint GENERATED ALWAYS AS (coalesce(repository_id, 0)) STORED;
COMMENT ON COLUMN analyses.upload_id IS 'No reference: an analysis may outlive its upload.';
COMMENT ON COLUMN analyses.number IS 'The pull request''s number, where it is of one.';
COMMENT ON COLUMN analyses.severities IS 'How many findings stand, by severity.';
COMMENT ON COLUMN analyses.scope IS 'repository_id, or 0 where there is none: an index cannot be asked for IS NULL in order.';
COMMENT ON COLUMN analyses.tries IS 'How often it was claimed. A job whose number is no longer this one has lost it to another.';
-- Lists are of whole organizations, or of single repositories, newest or best first. What is rare has an index of its own, so
-- that nobody looks for it through a million reviews.
DROP INDEX analyses_repository;
CREATE INDEX analyses_newest ON analyses (organization_id, created_at, id);
CREATE INDEX analyses_newest_of_repository ON analyses (organization_id, scope, created_at, id);
CREATE INDEX analyses_score ON analyses (organization_id, score, id) WHERE score IS NOT NULL;
CREATE INDEX analyses_score_of_repository ON analyses (organization_id, scope, score, id) WHERE score IS NOT NULL;
CREATE INDEX analyses_status ON analyses (organization_id, status, created_at, id) WHERE status <> 'completed';
CREATE INDEX analyses_type ON analyses (organization_id, analysis_type, created_at, id) WHERE analysis_type <> 'full';
CREATE INDEX analyses_subject ON analyses (organization_id, subject, created_at, id) WHERE subject <> 'pull_request';
CREATE INDEX analyses_tagged ON analyses (organization_id, created_at, id) WHERE tags <> '{}';
CREATE INDEX analyses_upload ON analyses (organization_id, upload_id, created_at, id) WHERE upload_id IS NOT NULL;

-- Whether a review refers to an analysis is asked whenever one is removed.
CREATE INDEX reviews_analysis ON reviews (analysis_id);

ALTER TABLE findings ADD issue text NOT NULL DEFAULT '';
COMMENT ON COLUMN findings.issue IS 'Its name within the analysis, as security-001. Empty for what was dropped.';
-- The owner is subject to row-level security as well, and would see no row.
ALTER TABLE findings NO FORCE ROW LEVEL SECURITY;
UPDATE findings SET issue = numbered.name FROM (
    SELECT id, category || '-' || lpad(row_number() OVER (PARTITION BY analysis_id, category ORDER BY id)::text, 3, '0') AS name
    FROM findings WHERE dropped_because IS NULL
) AS numbered WHERE findings.id = numbered.id;
ALTER TABLE findings FORCE ROW LEVEL SECURITY;

CREATE TABLE usage_days (
    organization_id bigint NOT NULL REFERENCES organizations ON DELETE CASCADE,
    scope bigint NOT NULL,
    day date NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    calls integer NOT NULL,
    input_tokens bigint NOT NULL,
    cached_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cost numeric(14, 6) NOT NULL,
    PRIMARY KEY (organization_id, scope, day, provider, model)
);
COMMENT ON COLUMN usage_days.scope IS 'repository_id, or 0 for what belongs to no repository.';
COMMENT ON COLUMN usage_days.cost IS 'US dollars, by the price table of the day it was counted.';

-- What is made of analyses ---------------------------------------------------------------------------------------------

CREATE TABLE reports (
    organization_id bigint NOT NULL,
    analysis_id bigint NOT NULL,
    format text NOT NULL CHECK (format IN ('html', 'pdf', 'markdown', 'sarif', 'json')),
    state text NOT NULL CHECK (state IN ('ready', 'failed')),
    made_of text NOT NULL DEFAULT '',
    object_key text NOT NULL DEFAULT '',
    size bigint NOT NULL DEFAULT 0,
    error text NOT NULL DEFAULT '',
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (analysis_id, format),
    FOREIGN KEY (organization_id, analysis_id) REFERENCES analyses (organization_id, id) ON DELETE CASCADE
);
COMMENT ON COLUMN reports.made_of IS 'Stands for what may change of an analysis that has ended. Another one now: made again when asked for.';

CREATE TABLE proposals (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id bigint NOT NULL REFERENCES organizations ON DELETE CASCADE,
    repository_id bigint,
    analysis_id bigint NOT NULL,
    user_id bigint REFERENCES users ON DELETE SET NULL,
    title text NOT NULL DEFAULT '',
    state text NOT NULL CHECK (state IN ('preparing', 'proposed', 'approved', 'applying', 'applied', 'rejected', 'failed')),
    auto_apply boolean NOT NULL DEFAULT false,
    wanted text[] NOT NULL,
    settled jsonb NOT NULL DEFAULT '[]',
    left_out jsonb NOT NULL DEFAULT '[]',
    changes jsonb NOT NULL DEFAULT '[]',
    impact jsonb NOT NULL DEFAULT '{}',
    head_sha text NOT NULL DEFAULT '',
    head_ref text NOT NULL DEFAULT '',
    patch_key text NOT NULL DEFAULT '',
    files_key text NOT NULL DEFAULT '',
    commit_sha text NOT NULL DEFAULT '',
    outcome text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (organization_id, repository_id) REFERENCES repositories (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, analysis_id) REFERENCES analyses (organization_id, id) ON DELETE CASCADE
);
COMMENT ON COLUMN proposals.wanted IS 'The issues that were asked for.';
COMMENT ON COLUMN proposals.settled IS 'A list of {issue, checked}: those that it settles, and how that was made sure of.';
COMMENT ON COLUMN proposals.left_out IS 'A list of {issue, because}: the others.';
COMMENT ON COLUMN proposals.changes IS 'A list of {file, type, diff}.';
CREATE INDEX proposals_newest ON proposals (organization_id, id DESC);
CREATE INDEX proposals_newest_in_state ON proposals (organization_id, state, id DESC);
CREATE INDEX proposals_analysis ON proposals (analysis_id, id DESC);

CREATE TABLE exports (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id bigint NOT NULL REFERENCES organizations ON DELETE CASCADE,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('analyses', 'findings', 'usage', 'audit')),
    format text NOT NULL CHECK (format IN ('csv', 'json', 'zip')),
    filters jsonb NOT NULL DEFAULT '{}',
    state text NOT NULL CHECK (state IN ('queued', 'ready', 'failed')),
    object_key text NOT NULL DEFAULT '',
    size bigint NOT NULL DEFAULT 0,
    rows bigint NOT NULL DEFAULT 0,
    error text NOT NULL DEFAULT '',
    made_whole boolean NOT NULL DEFAULT false,
    made_of bigint[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
COMMENT ON COLUMN exports.made_whole IS 'Whoever it was made for could read all repositories of the organization.';
COMMENT ON COLUMN exports.made_of IS 'Else those that they could read. Once they may not read one of them, they do not see it.';
CREATE INDEX exports_user ON exports (user_id, id DESC);
CREATE INDEX exports_expires ON exports (expires_at);

-- What was done --------------------------------------------------------------------------------------------------------

-- Work without a GitHub account behind it (an upload's analysis, a mail) belongs to one of our organizations, or to none.
ALTER TABLE deliveries ADD owner_id bigint;
COMMENT ON COLUMN deliveries.owner_id IS 'Our organization, for jobs that we put ourselves.';
CREATE INDEX deliveries_account ON deliveries (account_id, sequence DESC);
CREATE INDEX deliveries_owner ON deliveries (owner_id, sequence DESC) WHERE owner_id IS NOT NULL;

ALTER TABLE audit_logs
    ALTER organization_id DROP NOT NULL,
    ADD actor_id bigint,
    ADD address text NOT NULL DEFAULT '',
    ADD request_id text NOT NULL DEFAULT '';
COMMENT ON COLUMN audit_logs.organization_id IS 'NULL for what concerns the instance alone.';
CREATE INDEX audit_logs_newest ON audit_logs (organization_id, id DESC);
CREATE INDEX audit_logs_instance ON audit_logs (id DESC) WHERE organization_id IS NULL;
DROP INDEX audit_logs_at;

-- Row-level security ---------------------------------------------------------------------------------------------------

DO $$
DECLARE
    name text;
    tenant text := 'organization_id = (SELECT nullif(current_setting(''app.tenant'', true), '''')::bigint)';
BEGIN
    FOREACH name IN ARRAY ARRAY['uploads', 'upload_files', 'reports', 'proposals', 'exports', 'members', 'repository_readers',
                                'usage_days'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %I TO refactoriq_tenant USING (%s)', name, tenant);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO refactoriq_tenant', name);
    END LOOP;
    -- Accounts are looked up before it is known whose they are.
    FOREACH name IN ARRAY ARRAY['users', 'user_links', 'api_keys', 'idempotency_keys'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['users', 'user_links', 'api_keys', 'idempotency_keys', 'members', 'repository_readers'] LOOP
        EXECUTE format('CREATE POLICY system ON %I TO refactoriq_system USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO refactoriq_system', name);
    END LOOP;
    -- What expires is found without knowing whose it is; it is removed as its tenant.
    FOREACH name IN ARRAY ARRAY['uploads', 'exports'] LOOP
        EXECUTE format('CREATE POLICY system ON %I FOR SELECT TO refactoriq_system USING (true)', name);
        EXECUTE format('GRANT SELECT ON %I TO refactoriq_system', name);
    END LOOP;
    -- Whether the analysis or proposal that a file belongs to still stands; nothing else of them is shown.
    FOREACH name IN ARRAY ARRAY['analyses', 'proposals'] LOOP
        EXECUTE format('CREATE POLICY system ON %I FOR SELECT TO refactoriq_system USING (true)', name);
        EXECUTE format('GRANT SELECT (id) ON %I TO refactoriq_system', name);
    END LOOP;
END $$;
-- An upload's object is kept before its row, under its id.
GRANT USAGE ON SEQUENCE uploads_id_seq TO refactoriq_tenant;

CREATE POLICY owner ON deliveries FOR SELECT TO refactoriq_tenant
    USING (owner_id = (SELECT nullif(current_setting('app.tenant', true), '')::bigint));
CREATE POLICY read ON audit_logs FOR SELECT TO refactoriq_system USING (organization_id IS NULL);
GRANT SELECT ON audit_logs TO refactoriq_system;

-- The reader. app.tenants: the caller's organizations. app.whole: those of them in which they may read every repository.
-- app.readable: the repositories that they may read elsewhere. See storage/accounts/sight.py.
DO $$
DECLARE
    name text;
    tenants text := 'organization_id = ANY ((SELECT nullif(current_setting(''app.tenants'', true), '''')::bigint[])::bigint[])';
    whole text := 'organization_id = ANY ((SELECT nullif(current_setting(''app.whole'', true), '''')::bigint[])::bigint[])';
    readable text := '%s = ANY ((SELECT nullif(current_setting(''app.readable'', true), '''')::bigint[])::bigint[])';
BEGIN
    FOREACH name IN ARRAY ARRAY['members', 'uploads', 'upload_files', 'audit_logs'] LOOP
        EXECUTE format('CREATE POLICY reader ON %I FOR SELECT TO refactoriq_reader USING (%s)', name, tenants);
    END LOOP;
    EXECUTE format(
        'CREATE POLICY reader ON exports FOR SELECT TO refactoriq_reader USING (%s AND (%s OR (NOT made_whole AND made_of <@ %s)))',
        tenants, whole, '(SELECT coalesce(nullif(current_setting(''app.readable'', true), ''''), ''{}'')::bigint[])');
    FOREACH name IN ARRAY ARRAY['analyses', 'proposals', 'usage_days', 'repositories', 'code_indexes'] LOOP
        EXECUTE format(
            'CREATE POLICY reader ON %I FOR SELECT TO refactoriq_reader USING (%s AND (%s OR %s%s))', name, tenants, whole,
            format(readable, CASE name WHEN 'repositories' THEN 'id' WHEN 'usage_days' THEN 'scope' ELSE 'repository_id' END),
            CASE name WHEN 'analyses' THEN ' OR repository_id IS NULL' WHEN 'proposals' THEN ' OR repository_id IS NULL'
                      WHEN 'usage_days' THEN ' OR scope = 0' ELSE '' END);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['findings', 'reports'] LOOP
        EXECUTE format('CREATE POLICY reader ON %1$I FOR SELECT TO refactoriq_reader'
                       ' USING (EXISTS (SELECT FROM analyses WHERE analyses.id = %1$I.analysis_id))', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['members', 'uploads', 'upload_files', 'exports', 'audit_logs', 'analyses', 'proposals', 'usage_days',
                                'repositories', 'code_indexes', 'findings', 'reports', 'organizations', 'deliveries'] LOOP
        EXECUTE format('GRANT SELECT ON %I TO refactoriq_reader', name);
    END LOOP;
END $$;
CREATE POLICY reader ON organizations FOR SELECT TO refactoriq_reader
    USING (id = ANY ((SELECT nullif(current_setting('app.tenants', true), '')::bigint[])::bigint[]));
CREATE POLICY reader ON deliveries FOR SELECT TO refactoriq_reader USING (
    (owner_id = ANY ((SELECT nullif(current_setting('app.tenants', true), '')::bigint[])::bigint[])
     OR account_id = ANY (ARRAY(SELECT github_id FROM organizations)))
    AND (repository_id IS NULL OR EXISTS (SELECT FROM repositories WHERE github_id = deliveries.repository_id)));
