import { describe, expect, test } from "vitest";
import type { Exchange } from "../support.ts";
import { api, failure, harborOf, source } from "./support.ts";

const artifact = `${api}/projects/lib/repositories/app/artifacts/v1`;
const mediaType = "application/vnd.security.vulnerability.report; version=1.1";

describe("findings", () => {
  const page = `${source}/server/v2.0/handler/artifact.go`;
  const links = { vulnerabilities: { href: "/api/v2.0/...", absolute: false } };
  const image = (more: object): Exchange => ({
    page,
    url: `${artifact}?with_scan_overview=true&with_tag=false`,
    answer: { digest: "sha256:1", addition_links: links, ...more },
  });
  const overview = (scan_status: string) => ({
    scan_overview: {
      [mediaType]: {
        scan_status,
        end_time: "2024-06-01T10:00:00.000Z",
        scanner: { name: "Trivy", vendor: "Aqua Security", version: "v0.51.1" },
      },
    },
  });

  test("are those of the newest report", async () => {
    const { service, sent } = await harborOf([
      image(overview("Success")),
      {
        page: `${source}/pkg/scan/vuln/report.go`,
        url: `${artifact}/additions/vulnerabilities`,
        answer: {
          [mediaType]: {
            vulnerabilities: [
              {
                id: "CVE-2024-1",
                package: "openssl",
                version: "3.0.1",
                fix_version: "3.0.2",
                severity: "Critical",
                description: "first\nline",
                links: ["javascript:alert(1)", "https://avd.aquasec.com/nvd/cve-2024-1"],
              },
              { id: "CVE-2024-2", package: "zlib", version: "1", fix_version: "", severity: "Weird", links: null },
              { package: "without an id" },
            ],
          },
        },
      },
    ]);
    expect(await service.findings("lib/app", "v1")).toEqual({
      status: "complete",
      scanned: "2024-06-01T10:00:00.000Z",
      scanner: "Trivy v0.51.1",
      counts: { critical: 1, unknown: 1 },
      vulnerabilities: [
        {
          id: "CVE-2024-1",
          severity: "critical",
          package: "openssl",
          installed: "3.0.1",
          fixed: "3.0.2",
          title: "first line",
          url: "https://avd.aquasec.com/nvd/cve-2024-1",
        },
        { id: "CVE-2024-2", severity: "unknown", package: "zlib", installed: "1" },
      ],
    });
    expect(sent.every((headers) => headers["x-accept-vulnerabilities"]?.startsWith(mediaType))).toBe(true);
  });

  test.each([
    ["Pending", "running"],
    ["Scheduled", "running"],
    ["Running", "running"],
    ["Error", "failed"],
    ["Stopped", "failed"],
  ])("while the scan is %s are %s, by one request", async (told, status) => {
    const { service, asked } = await harborOf([image(overview(told))]);
    expect(await service.findings("lib/app", "v1")).toMatchObject({ status, note: told, vulnerabilities: [] });
    expect(asked).toHaveLength(1);
  });

  test.each([
    [{}, "absent"],
    [{ addition_links: {} }, "unsupported"],
  ])("of an image with %j are %s", async (more, status) => {
    const { service } = await harborOf([image(more)]);
    expect(await service.findings("lib/app", "v1")).toEqual({ status, counts: {}, vulnerabilities: [] });
  });

  test("of no image are an error", async () => {
    const { service } = await harborOf([{ ...image({}), status: 404, answer: failure("NOT_FOUND", "") }]);
    await expect(service.findings("lib/app", "v1")).rejects.toMatchObject({ code: "MANIFEST_UNKNOWN" });
  });
});

describe("replication", () => {
  const page = `${source}/server/v2.0/handler/replication.go`;
  const url = `${api}/replication/policies?page_size=100&page=1`;

  test("rules say what goes where and when, and no secret", async () => {
    const { service } = await harborOf([
      {
        page,
        url,
        answer: [
          {
            id: 1,
            name: "mirror",
            src_registry: {
              id: 3,
              name: "hub",
              url: "https://hub.example",
              credential: { type: "basic", access_key: "ann", access_secret: "s3cret-too" },
            },
            dest_registry: { id: 0, name: "Local" },
            dest_namespace: "mirrors",
            filters: [
              { type: "name", value: "library/**" },
              { type: "tag", value: "*-rc", decoration: "excludes" },
              { type: "label", value: ["a", "b"] },
            ],
            trigger: { type: "scheduled", trigger_settings: { cron: "0 0 2 * * *" } },
            enabled: true,
          },
          { id: 2, name: "plain", dest_registry: { id: 4, name: "edge" }, trigger: { type: "manual" } },
          { id: 3 },
        ],
      },
    ]);
    const rules = await Array.fromAsync(service.replication());
    expect(rules).toEqual([
      {
        name: "mirror",
        from: "hub (https://hub.example)",
        to: "this registry/mirrors",
        filter: "name library/**; tag not *-rc; label a, b",
        enabled: true,
        trigger: "scheduled 0 0 2 * * *",
      },
      { name: "plain", from: "this registry", to: "edge", enabled: false, trigger: "manual" },
    ]);
    expect(JSON.stringify(rules)).not.toContain("s3cret");
  });

  test("is for system administrators", async () => {
    const { service } = await harborOf([{ page, url, status: 403, answer: failure("FORBIDDEN", "robot$lib+ci") }]);
    await expect(Array.fromAsync(service.replication())).rejects.toMatchObject({
      code: "DENIED",
      hint: expect.stringContaining("system administrator") as string,
    });
  });
});

describe("quotas", () => {
  const page = `${source}/server/v2.0/handler/quota.go`;
  const url = `${api}/quotas?page_size=100&reference=project&page=1`;

  test("are those of all projects to an administrator", async () => {
    const { service } = await harborOf([
      {
        page,
        url,
        answer: [
          { id: 1, ref: { id: 1, name: "lib" }, hard: { storage: 1000 }, used: { storage: 400 } },
          { id: 2, ref: { id: 2, name: "open" }, hard: { storage: -1 }, used: { storage: 5 } },
          { id: 3, ref: { id: 3, name: "over" }, hard: { storage: 10 }, used: { storage: 12 } },
          { id: 4, ref: null, hard: null },
        ],
      },
    ]);
    expect(await service.allowances()).toEqual([
      { what: "storage of project lib", unit: "bytes", limit: 1000, used: 400, remaining: 600 },
      { what: "storage of project open", unit: "bytes", unlimited: true, used: 5 },
      { what: "storage of project over", unit: "bytes", limit: 10, used: 12, remaining: 0 },
    ]);
  });

  test("are those of their own projects to others", async () => {
    const { service, asked } = await harborOf([
      { page, url, status: 403, answer: failure("FORBIDDEN", "") },
      {
        page: `${source}/server/v2.0/handler/project.go`,
        url: `${api}/projects?page_size=100&with_detail=true&page=1`,
        answer: [
          { project_id: 1, name: "mine", current_user_role_ids: [1], metadata: { public: "true" } },
          { project_id: 2, name: "private", metadata: { public: "false" } },
          { project_id: 3, name: "others", current_user_role_ids: null, metadata: { public: "true" } },
        ],
      },
      {
        page: `${source}/server/v2.0/handler/project.go`,
        url: `${api}/projects/mine/summary`,
        answer: { repo_count: 1, quota: { hard: { storage: 10 }, used: { storage: 4 } } },
      },
      {
        page: `${source}/server/v2.0/handler/project.go`,
        url: `${api}/projects/private/summary`,
        status: 403,
        answer: failure("FORBIDDEN", ""),
      },
    ]);
    expect(await service.allowances()).toEqual([
      { what: "storage of project mine", unit: "bytes", limit: 10, used: 4, remaining: 6 },
    ]);
    expect(asked).toHaveLength(4);
  });
});
