import { describe, expect, test } from "vitest";
import {
  type Query,
  api,
  failure,
  found,
  job,
  project,
  projectsPage,
  query,
  speak,
  tooOld,
} from "./gitlab-exchanges.ts";

describe("immutability", () => {
  const rule = (id: number, tagNamePattern: string, immutable: boolean): unknown => ({
    id: `gid://gitlab/ContainerRegistry::Protection::TagRule/${id}`,
    tagNamePattern,
    immutable,
  });
  const rules = (...nodes: readonly unknown[]): Query => ({
    has: "containerProtectionTagRules",
    answer: { data: { project: { containerProtectionTagRules: { nodes } } } },
  });
  const done = (has: string, errors: readonly string[] = []): Query => ({
    has,
    answer: { data: { mutation: { errors } } },
  });
  const created = "mutation($input: createContainerProtectionTagRuleInput!)";
  const deleted = "mutation($input: DeleteContainerProtectionTagRuleInput!)";
  const scope = `project ${project}`;

  test.each([
    [[], { tags: "mutable", scope }],
    [[rule(1, "v.*", false)], { tags: "mutable", scope }],
    [
      [rule(1, "^v.*", true), rule(2, "latest", false)],
      { tags: "mutable", except: ["^v.*"], patterns: "regex", scope },
    ],
    [[rule(1, "^v.*", true), rule(2, ".*", true)], { tags: "immutable", scope }],
  ])("is read from rules %j", async (nodes, expected) => {
    const { service } = await query([rules(...nodes)]);
    expect(await service.immutability(project)).toEqual(expected);
  });

  test("is set with new rules first, and leaves those for roles alone", async () => {
    const { service, bodies } = await query([
      rules(rule(1, "^old", true), rule(2, "latest", false), rule(3, "^v1", true)),
      done(created),
      done(deleted),
    ]);
    await service.setImmutability(project, { tags: "mutable", except: ["^v1", "^v2"], patterns: "regex" });
    expect(bodies[1]).toContain('"variables":{"input":{"projectPath":"group/project","tagNamePattern":"^v2"}}');
    expect(bodies[2]).toContain("TagRule/1");
  });

  test("is set with old rules first where there is no room", async () => {
    const old = ["1", "2", "3", "4", "5"].map((text, index) => rule(index, text, true));
    const { service } = await query([
      rules(...old),
      ...old.slice(1).map(() => done(deleted)),
      done(deleted),
      done(created),
    ]);
    await service.setImmutability(project, { tags: "immutable" });
  });

  test("of wildcards is set as regular expressions of whole tags", async () => {
    const { service, bodies } = await query([rules(), done(created)]);
    await service.setImmutability(project, { tags: "mutable", except: ["v1.*"], patterns: "wildcard" });
    expect(bodies[1]).toContain(JSON.stringify({ tagNamePattern: "^v1\\..*$" }).slice(1, -1));
  });

  test.each([
    [{ tags: "immutable", except: ["dev"] }, []],
    [{ tags: "mutable", except: ["x".repeat(101)] }, []],
    [{ tags: "mutable", except: ["a", "b", "c", "d", "e"] }, [rules(rule(1, "latest", false))]],
  ] as const)("that GitLab has not is refused: %j", async (wanted, queries) => {
    const { service } = await query(queries);
    expect(await failure(service.setImmutability(project, wanted))).toMatchObject({ code: "INVALID" });
  });

  test("says what a rule's answer says, and when GitLab is too old", async () => {
    const taken = await query([rules(), done(created, ["Tag name pattern has already been taken"])]);
    expect(await failure(taken.service.setImmutability(project, { tags: "immutable" }))).toMatchObject({
      code: "INVALID",
      message: expect.stringContaining("already been taken") as string,
    });
    const old = await query([{ has: "project", answer: tooOld }]);
    expect(await failure(old.service.immutability(project))).toMatchObject({
      code: "UNSUPPORTED",
      hint: expect.stringContaining("too old") as string,
    });
  });

  test("is not asked for with a CI job's token, which GraphQL does not take", async () => {
    const { service, asked } = await speak([found], { credential: job });
    expect(await failure(service.immutability(project))).toMatchObject({
      code: "DENIED",
      hint: expect.stringContaining("CI job token") as string,
    });
    expect(asked).toHaveLength(1);
  });
});

describe("cleanup policies", () => {
  const url = `${api}/projects/group%2Fproject`;
  const answer = (enabled: boolean): unknown => ({
    id: 3,
    container_expiration_policy: {
      cadence: "7d",
      enabled,
      keep_n: 10,
      older_than: "90d",
      name_regex: ".*",
      name_regex_keep: null,
      next_run_at: "2020-01-07T21:42:58.658Z",
    },
  });
  const document = {
    cadence: "7d",
    enabled: true,
    keep_n: 10,
    older_than: "90d",
    name_regex: ".*",
    name_regex_keep: null,
  };
  const page = `${projectsPage}#update-a-project`;
  const scope = `project ${project}`;

  test.each([
    [true, { dialect: "gitlab", document, scope }],
    [false, undefined],
  ])("enabled %s", async (enabled, expected) => {
    const { service } = await speak([found, { page, url, answer: answer(enabled) }]);
    expect(await service.lifecycle(project)).toEqual(expected);
  });

  test("are set for the project, and switched off", async () => {
    const attributes = { enabled: true, cadence: "7d", keep_n: 10, older_than: "90d", name_regex: ".*" };
    const set = {
      page,
      method: "PUT",
      url,
      sends: { container_expiration_policy_attributes: attributes },
      answer: answer(true),
    } as const;
    const off = {
      ...set,
      sends: { container_expiration_policy_attributes: { enabled: false } },
      answer: answer(false),
    };
    const { service, asked } = await speak([found, set, off]);
    expect(await service.setLifecycle(project, attributes)).toEqual({ dialect: "gitlab", document, scope });
    await service.deleteLifecycle(project);
    expect(asked.filter((line) => line.startsWith("PUT"))).toHaveLength(2);
  });

  test("that are none are refused before anything is asked", async () => {
    const { service, asked } = await speak([]);
    expect(await failure(service.setLifecycle(project, []))).toMatchObject({ code: "INVALID" });
    expect(asked).toEqual([]);
  });

  test("that GitLab refuses say which attribute is wrong", async () => {
    const message = { "container_expiration_policy.keep_n": ["is not included in the list"] };
    const { service } = await speak([
      found,
      {
        page,
        method: "PUT",
        url,
        sends: { container_expiration_policy_attributes: { enabled: true, keep_n: 3 } },
        status: 400,
        answer: { message },
      },
    ]);
    expect(await failure(service.setLifecycle(project, { keep_n: 3 }))).toMatchObject({
      code: "INVALID",
      message: expect.stringContaining("keep_n") as string,
    });
  });
});
