-- Back to before the API: accounts, uploads, reports, proposals, exports and the analyses that people asked for are lost.

DROP POLICY reader ON deliveries;
DROP POLICY reader ON organizations;
DROP POLICY reader ON analyses;
DROP POLICY reader ON repositories;
DROP POLICY reader ON code_indexes;
DROP POLICY reader ON audit_logs;
DROP POLICY reader ON findings;
DROP POLICY read ON audit_logs;
DROP POLICY system ON analyses;
REVOKE SELECT (id) ON analyses FROM refactoriq_system;
DROP POLICY owner ON deliveries;
REVOKE SELECT ON audit_logs FROM refactoriq_system;
REVOKE SELECT ON audit_logs, analyses, repositories, code_indexes, findings, organizations, deliveries FROM refactoriq_reader;
REVOKE USAGE ON SCHEMA public FROM refactoriq_reader;

DROP TABLE exports, proposals, reports, usage_days, upload_files, uploads, repository_readers, members, idempotency_keys,
    api_keys, user_links;

-- The owner is subject to row-level security as well, and would see no row.
ALTER TABLE audit_logs NO FORCE ROW LEVEL SECURITY;
ALTER TABLE deliveries NO FORCE ROW LEVEL SECURITY;
ALTER TABLE analyses NO FORCE ROW LEVEL SECURITY;
ALTER TABLE organizations NO FORCE ROW LEVEL SECURITY;

DELETE FROM audit_logs WHERE organization_id IS NULL;
CREATE INDEX audit_logs_at ON audit_logs (organization_id, at DESC);
DROP INDEX audit_logs_newest, audit_logs_instance;
ALTER TABLE audit_logs ALTER organization_id SET NOT NULL, DROP actor_id, DROP address, DROP request_id;

DELETE FROM deliveries WHERE account_id IS NULL AND owner_id IS NOT NULL;
DROP INDEX deliveries_account;
ALTER TABLE deliveries DROP owner_id;
DROP INDEX repositories_name;
ALTER TABLE repositories DROP settings;

ALTER TABLE findings DROP issue;
DELETE FROM analyses WHERE subject <> 'pull_request' OR status <> 'completed';
ALTER TABLE analyses
    DROP scope, DROP finished_at, DROP started_at, DROP heartbeat_at, DROP tries, DROP estimated_seconds, DROP severities,
    DROP metrics, DROP score, DROP error,
    DROP message, DROP progress, DROP status, DROP tags, DROP title, DROP options, DROP analysis_type, DROP requested_by, DROP ref,
    DROP upload_id, DROP subject,
    ALTER record DROP DEFAULT, ALTER partial DROP DEFAULT, ALTER changed_lines DROP DEFAULT, ALTER head_sha DROP DEFAULT,
    ALTER repository_id SET NOT NULL;
DROP INDEX reviews_analysis, analyses_newest;
CREATE INDEX analyses_repository ON analyses (organization_id, repository_id, created_at DESC);

DROP TABLE users;
DELETE FROM organizations WHERE kind = 'Personal';
ALTER TABLE audit_logs FORCE ROW LEVEL SECURITY;
ALTER TABLE deliveries FORCE ROW LEVEL SECURITY;
ALTER TABLE analyses FORCE ROW LEVEL SECURITY;
ALTER TABLE organizations FORCE ROW LEVEL SECURITY;

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

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['users', 'proposals'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY tenant ON %I TO refactoriq_tenant'
            ' USING (organization_id = (SELECT nullif(current_setting(''app.tenant'', true), '''')::bigint))', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO refactoriq_tenant', name);
    END LOOP;
END $$;
