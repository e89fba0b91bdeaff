import { describe, expect, test } from "vitest";
import { parseRetentionLog } from "../../../src/provider/harbor/retention-log.ts";
import { instantClock } from "../../support/instant-clock.ts";
import type { Exchange } from "../support.ts";
import { api, failure, harborOf, source } from "./support.ts";

const page = `${source}/server/v2.0/handler/retention.go`;
const digest = (character: string): `sha256:${string}` => `sha256:${character.repeat(64)}`;

const document = {
  algorithm: "or",
  rules: [
    {
      disabled: false,
      action: "retain",
      template: "latestPushedK",
      params: { latestPushedK: 10 },
      tag_selectors: [{ kind: "doublestar", decoration: "matches", pattern: "**", extras: '{"untagged":true}' }],
      scope_selectors: { repository: [{ kind: "doublestar", decoration: "repoMatches", pattern: "**" }] },
    },
  ],
  trigger: { kind: "Schedule", settings: { cron: "" } },
};
const stored = {
  ...document,
  id: 5,
  rules: document.rules.map((rule) => ({ ...rule, id: 1, priority: 1 })),
  trigger: { ...document.trigger, references: {} },
  scope: { level: "project", ref: 7 },
};

const project = (retention?: string): Exchange => ({
  page: `${source}/server/v2.0/handler/project.go`,
  url: `${api}/projects/lib`,
  answer: { project_id: 7, name: "lib", metadata: { public: "false", ...(retention && { retention_id: retention }) } },
});
const policy: Exchange = { page, url: `${api}/retentions/5`, answer: stored };

describe("a retention policy", () => {
  test("is that of the project", async () => {
    const { service, asked } = await harborOf([project("5"), policy]);
    expect(await service.lifecycle("lib/team/app")).toEqual({
      dialect: "harbor",
      document: stored,
      scope: "project lib",
    });
    expect(asked).toHaveLength(2);
  });

  test.each([undefined, "", "0", "-1", "5/../9", "1e3"])("is none where the project says %j", async (id) => {
    const { service, asked } = await harborOf([project(id)]);
    expect(await service.lifecycle("lib/app")).toBeUndefined();
    expect(asked).toHaveLength(1);
  });

  test("is none where there is no project, or the policy went away", async () => {
    const absent = await harborOf([
      { ...project(), status: 404, answer: failure("NOT_FOUND", "project lib not found") },
    ]);
    expect(await absent.service.lifecycle("lib/app")).toBeUndefined();
    const gone = await harborOf([project("5"), { ...policy, status: 404, answer: failure("NOT_FOUND", "") }]);
    expect(await gone.service.lifecycle("lib/app")).toBeUndefined();
  });

  test("is made for the project, whatever project the document was of", async () => {
    const body = { ...document, scope: { level: "project", ref: 7 } };
    const { service } = await harborOf([
      project(),
      { page, method: "POST", url: `${api}/retentions`, sends: body, status: 201 },
    ]);
    const foreign = { ...document, id: 99, scope: { level: "project", ref: 3 } };
    expect(await service.setLifecycle("lib/app", foreign)).toEqual({
      dialect: "harbor",
      document: body,
      scope: "project lib",
    });
  });

  test("is replaced where there is one", async () => {
    const { service, asked } = await harborOf([
      project("5"),
      {
        page,
        method: "PUT",
        url: `${api}/retentions/5`,
        sends: { ...document, id: 5, scope: { level: "project", ref: 7 } },
      },
    ]);
    await service.setLifecycle("lib/app", document);
    expect(asked).toHaveLength(2);
  });

  test("that is no document is refused, and nobody is asked", async () => {
    const { service, asked } = await harborOf([]);
    await expect(service.setLifecycle("lib/app", [])).rejects.toMatchObject({ code: "INVALID" });
    expect(asked).toEqual([]);
  });

  test("with immutability rules beside it is refused, as Harbor sets those by themselves", async () => {
    const { service, asked } = await harborOf([]);
    await expect(service.setLifecycle("lib/app", { retention: document, immutable: [] })).rejects.toMatchObject({
      code: "INVALID",
      hint: expect.stringContaining("gantry immutability set") as string,
    });
    expect(asked).toEqual([]);
  });

  test("is refused by Harbor in its words", async () => {
    const { service } = await harborOf([
      project(),
      {
        page,
        method: "POST",
        url: `${api}/retentions`,
        sends: { ...document, scope: { level: "project", ref: 7 } },
        status: 409,
        answer: failure("CONFLICT", "rule 1 is conflict with rule 0"),
      },
    ]);
    await expect(service.setLifecycle("lib/app", document)).rejects.toMatchObject({
      code: "CONFLICT",
      message: expect.stringContaining("rule 1 is conflict with rule 0") as string,
    });
  });

  test("is removed, once", async () => {
    const { service } = await harborOf([project("5"), { page, method: "DELETE", url: `${api}/retentions/5` }]);
    await service.deleteLifecycle("lib/app");
    const none = await harborOf([project()]);
    await expect(none.service.deleteLifecycle("lib/app")).rejects.toMatchObject({ code: "NAME_UNKNOWN" });
  });
});

// As job.go of pkg/retention writes it with olekukonko/tablewriter, after the job service's own heads of lines.
const log = `2024-06-01T10:00:00Z [INFO] [/pkg/retention/job.go:89]: Run retention process.
 Repository: lib/team/app 
 Rule Algorithm: or 
 Dry Run: true
2024-06-01T10:00:00Z [INFO] [/pkg/retention/job.go:104]: Load 5 candidates from repository lib/team/app
2024-06-01T10:00:01Z [INFO] [/pkg/retention/job.go:222]: 
|                                 Digest                                  |    Tag    | Kind  |  Labels  |     PushedTime      |     PulledTime      |     CreatedTime     | Retention |
|-------------------------------------------------------------------------|-----------|-------|----------|---------------------|---------------------|---------------------|-----------|
| ${digest("a")} | v3,latest | image |          | 2024/05/30 10:00:00 |                     | 2024/05/30 10:00:00 | RETAIN    |
| ${digest("b")} | v2,old    | image | a|b, on  | 2024/05/20 10:00:00 | 2024/05/21 00:00:00 | 2024/05/20 10:00:00 | DEL       |
|                                                                         |           |       | two rows |                     |                     |                     |           |
| ${digest("c")} |           | image |          |                     |                     |                     | DEL       |
| ${digest("d")} | v1        | image |          | 2024/05/10 10:00:00 |                     | 2024/05/10 10:00:00 | IMMUTABLE |
| sha256:short | v0 | image | | | | | DEL |
`;
const doomed = [
  { digest: digest("b"), tags: ["v2", "old"], pushed: "2024-05-20T10:00:00.000Z", action: "delete" },
  { digest: digest("c"), tags: [], action: "delete" },
];

describe("a preview", () => {
  const begun: Exchange = {
    page,
    method: "POST",
    url: `${api}/retentions/5/executions`,
    sends: { dry_run: true },
    status: 201,
    headers: { location: "/api/v2.0/retentions/5/executions/9" },
  };
  const executions = (answer: unknown): Exchange => ({
    page,
    url: `${api}/retentions/5/executions?page_size=100&page=1`,
    answer,
  });
  const tasks = (...answer: readonly unknown[]): Exchange => ({
    page,
    url: `${api}/retentions/5/executions/9/tasks?page_size=100&page=1`,
    answer,
  });
  const task = { id: 11, execution_id: 9, repository: "team/app", status: "Success", total: 4, retained: 2 };
  const logOf: Exchange = { page, url: `${api}/retentions/5/executions/9/tasks/11`, answer: log };
  const preview = async (exchanges: readonly Exchange[], wanted?: unknown) => {
    const harbor = await harborOf([project("5"), policy, ...exchanges]);
    return { ...harbor, matches: Array.fromAsync(harbor.service.previewLifecycle("lib/team/app", wanted)) };
  };
  const ended = executions([
    { id: 9, status: "Success" },
    { id: 8, status: "Running" },
  ]);

  test("is a dry run, whose log is read once it has ended", async () => {
    const { matches, sent, warnings } = await preview([
      begun,
      ended,
      tasks({ id: 10, repository: "app" }, task),
      logOf,
    ]);
    expect(await matches).toEqual(doomed);
    expect(warnings).toEqual([]);
    expect(sent.filter(({ accept }) => accept === "text/plain")).toHaveLength(2);
  });

  test("waits, longer and longer", async () => {
    const clock = instantClock();
    let polls = 0;
    const states = ["Pending", "Scheduled", "Running", "Running", "Running", "Success"];
    const waiting = executions([]);
    Object.defineProperty(waiting, "answer", {
      get: () => (polls === 0 ? (polls++, []) : [{ id: 9, status: states[Math.min(polls++, states.length) - 1] }]),
    });
    const { service } = await harborOf([project("5"), begun, waiting, tasks(task), logOf], { clock });
    expect(await Array.fromAsync(service.previewLifecycle("lib/team/app"))).toEqual(doomed);
    expect(clock.waits).toEqual([500, 1000, 2000, 4000, 5000, 5000, 5000]);
  });

  test("gives up after a quarter of an hour", async () => {
    let now = 0;
    const clock = { ...instantClock(), now: () => (now += 60_000) };
    const { service } = await harborOf([project("5"), begun, executions([{ id: 9, status: "Running" }])], { clock });
    await expect(Array.fromAsync(service.previewLifecycle("lib/team/app"))).rejects.toMatchObject({ code: "TIMEOUT" });
  });

  test("is empty where no rule is for the repository", async () => {
    const { matches } = await preview([begun, ended, tasks()]);
    expect(await matches).toEqual([]);
  });

  test("says where the log has less than Harbor counts", async () => {
    const { matches, warnings } = await preview([begun, ended, tasks({ ...task, retained: 1 }), logOf]);
    expect(await matches).toEqual(doomed);
    expect(warnings).toEqual(["the log of the dry run names 2 images of lib/team/app; 3 would go"]);
  });

  test.each<[string, readonly Exchange[]]>([
    ["the execution fails", [begun, executions([{ id: 9, status: "Error" }]), tasks()]],
    ["its task fails", [begun, executions([{ id: 9, status: "Error" }]), tasks({ ...task, status: "Error" })]],
    ["it is stopped", [begun, executions([{ id: 9, status: "Stopped" }]), tasks({ ...task, status: "Stopped" })]],
    ["nobody says which execution it is", [{ ...begun, headers: {} }]],
  ])("fails where %s", async (_, exchanges) => {
    await expect((await preview(exchanges)).matches).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  test("of the document that is set, without what Harbor adds to it", async () => {
    const { matches } = await preview([begun, ended, tasks(task), logOf], document);
    expect(await matches).toEqual(doomed);
  });

  test("of any other is refused, and none is run", async () => {
    const { matches, asked } = await preview([], { ...document, rules: [] });
    await expect(matches).rejects.toMatchObject({
      code: "UNSUPPORTED",
      hint: expect.stringContaining("cron") as string,
    });
    expect(asked.filter((line) => line.startsWith("POST"))).toEqual([]);
  });

  test("of none is refused", async () => {
    const { service } = await harborOf([project()]);
    await expect(Array.fromAsync(service.previewLifecycle("lib/app"))).rejects.toMatchObject({ code: "NAME_UNKNOWN" });
    await expect(Array.fromAsync(service.previewLifecycle("lib"))).rejects.toMatchObject({ code: "INVALID" });
  });

  test("can be interrupted", async () => {
    const abort = new AbortController();
    abort.abort();
    const { service } = await harborOf([project("5"), begun, ended]);
    await expect(
      Array.fromAsync(service.previewLifecycle("lib/team/app", undefined, { signal: abort.signal })),
    ).rejects.toMatchObject({ code: "ABORTED" });
  });
});

test.each(["", "|", "||||||||", "| a | b |", `| ${digest("a")} | v1 | DEL |`, "\0|DEL|"])(
  "the log %j has no images",
  (text) => {
    expect(parseRetentionLog(text)).toEqual([]);
  },
);
