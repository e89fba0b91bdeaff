import { describe, expect, test } from "vitest";
import { RegistryError } from "../../src/oci/error.ts";
import type { Access } from "../../src/server/index.ts";
import { layoutStore } from "../../src/store/index.ts";
import { image, putImage, twoPlatforms } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { testService, type TestServiceOptions } from "./service-scene.ts";
import { gantry, must, testRegistry } from "./support.ts";

const app = twoPlatforms("app");
const { digest } = app.manifest.descriptor;

async function withApp(options?: TestServiceOptions): ReturnType<typeof testService> {
  const service = await testService(options);
  for (const tag of ["1.0", "old"]) await putImage(service.store("team/app"), app, tag);
  return service;
}

/** An access that refuses requests with a status and code. */
function refusing(isRefused: (method: string, target: string) => boolean, code: string, status: number): Access {
  return {
    open: true,
    authorize: ({ method, target }) =>
      isRefused(method, target)
        ? { allow: false, reply: { status, headers: {}, body: Buffer.from(JSON.stringify({ errors: [{ code }] })) } }
        : { allow: true },
  };
}
/** A layout with an image called 1. */
async function layout(): Promise<string> {
  const directory = await temporaryDirectory();
  await putImage(layoutStore(directory), app, "1");
  return directory;
}

/** The cells of a table. */
function cells(text: string): readonly (readonly string[])[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => line.trim().split(/ {2,}/));
}

const noCatalog = refusing((_, target) => target.includes("_catalog"), "NAME_UNKNOWN", 404);

describe("repo list", () => {
  test("lists names, and with --long what the service tells with them", async () => {
    const { host, log } = await withApp();
    await must("repo", "create", `${host}/other/empty`);
    expect(await must("repo", "list", host)).toBe("other/empty\nteam/app\n");
    expect(await must("repo", "ls", `${host}/team`)).toBe("team/app\n");
    expect(await must("repo", "ls", "-l", host)).toBe(
      [
        "REPOSITORY   TAGS    SIZE  CREATED           VISIBILITY",
        "other/empty     0     0 B  2026-01-02 03:04  private",
        "team/app        2  2.0 kB  2026-01-02 03:04  private",
        "",
      ].join("\n"),
    );
    expect(log.filter((call) => call.startsWith("describe"))).toEqual([]);
  });

  test("filters by name", async () => {
    const { host, store } = await withApp();
    for (const name of ["app", "team/web"]) await putImage(store(name), image(name), "1");
    const listed = async (glob: string): Promise<string> => must("repo", "list", "--filter", glob, host);
    expect(await listed("*")).toBe("app\n");
    expect(await listed("team/*")).toBe("team/app\nteam/web\n");
    expect(await listed("**app")).toBe("app\nteam/app\n");
    expect(await listed("team/w?b")).toBe("team/web\n");
    expect(await listed("t.am/**")).toBe("");
  });

  test("of a plain registry lists its catalog, and asks of each what it has", async () => {
    const { host, store } = await testRegistry({ extension: false });
    await putImage(store("app"), app, "1");
    expect(await must("repo", "list", "-l", host)).toBe("REPOSITORY  TAGS\napp            1\n");
  });

  test("wants a registry", async () => {
    const { code, stderr } = await gantry(["repo", "list", "team"]);
    expect(code).toBe(2);
    expect(stderr).toContain('"team" does not name a registry');
  });
});

describe("ls", () => {
  test("of a host lists what its service lists, if that is known without asking", async () => {
    const { host, log } = await testService({ access: refusing(() => true, "DENIED", 403), calls: fixedList });
    expect(await must("ls", host)).toBe("native\n");
    expect(log).toEqual(["listRepositories "]);
  });

  test("of a host without a catalog finds out which service it is", async () => {
    const { host } = await testService({ known: false, access: noCatalog, calls: fixedList });
    expect(await must("ls", host)).toBe("native\n");
    expect(await must("ls", `${host}/team/`)).toBe("native\n");
  });

  test("of a plain registry sends what it always did: no request to find out which service it is", async () => {
    const { host, store } = await testRegistry({ extension: false });
    await putImage(store("app"), image("one"), "1");
    const requests = async (...words: readonly string[]): Promise<readonly string[]> =>
      (await gantry([...words, "-v"])).stderr.match(/(?:GET|HEAD) \S+/g) ?? [];
    expect(await requests("ls", host)).toEqual([`GET http://${host}/v2/_catalog?n=1000`]);
    const config = expect.stringMatching(/^GET http:.*\/blobs\/sha256:/) as string;
    expect(await requests("ls", "-l", `${host}/app`)).toEqual([
      `GET http://${host}/v2/app/tags/list?n=1000`,
      `GET http://${host}/v2/app/manifests/1`,
      config,
    ]);
  });

  test("-l of a registry of Gantry's reads its list: a request beside that of the tags, and one without tags", async () => {
    const { host, store } = await testRegistry();
    for (const tag of ["1", "2", "3"]) await putImage(store("app"), image(tag), tag);
    const requests = async (...words: readonly string[]): Promise<readonly string[]> =>
      ((await gantry([...words, "-v"])).stderr.match(/(?:GET|HEAD) \S+/g) ?? []).map((line) =>
        line.replace(host, "HOST"),
      );
    const list = "GET http://HOST/v2/app/_gantry/inventory/manifests";
    expect(await requests("ls", "-l", `${host}/app`)).toEqual(["GET http://HOST/v2/app/tags/list?n=1000", list]);
    expect(await requests("ls", "--images", `${host}/app`)).toEqual(["GET http://HOST/v2/", list]);
    expect(await requests("ls", "--tree", "--usage", `${host}/app`)).toEqual(["GET http://HOST/v2/", list]);
    const info = await must("repo", "info", `${host}/app`);
    expect(info).toMatch(/^Repository +\S+\nService +Gantry\nUpdated +\S+ \S+\nHolds +3 tags, 3 images, [\d.]+ kB\n$/);
    const images = JSON.parse(await must("ls", "--images", "-l", "--format", "json", `${host}/app`)) as object[];
    expect(images.some((one) => "content" in one)).toBe(false);
  });

  test("of a host that is nobody's ends as the catalog does", async () => {
    const { host } = await testRegistry({ access: noCatalog });
    expect(await gantry(["ls", host])).toMatchObject({ code: 1, stdout: "" });
  });

  test("of a repository with --long shows what the service tells, and reads no manifest", async () => {
    const { host, log, untagged } = await withApp();
    untagged({ tags: [] });
    expect((await must("ls", "-l", `${host}/team/app`)).split("\n")).toEqual([
      expect.stringMatching(/^TAG  DIGEST +SIZE  PUSHED            PLATFORMS$/),
      `1.0  ${digest}  4.3 kB  2026-11-20 14:05  -`,
      `old  ${digest}  4.3 kB  2026-11-20 14:05  -`,
      "",
    ]);
    expect(log).toEqual(["images team/app"]);
    expect((await gantry(["ls", "-l", `${host}/team/app`])).stderr).toBe(
      "note: the size of an index is that of its largest image\n",
    );
    expect((await gantry(["ls", "-l", `${host}/team/none`])).code).toBe(3);
  });

  test("with --provider takes the service that it is told", async () => {
    const { host, log } = await withApp({ known: false });
    expect(await must("ls", "-l", `${host}/team/app`)).not.toContain("PUSHED");
    expect(log).toEqual([]);
    expect(await must("ls", "-l", "--provider", "harbor", `${host}/team/app`)).toContain("PUSHED");
    const wrong = await gantry(["ls", "--provider", "sea", host]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('--provider: there is no service "sea"');
  });

  test("with --images lists each image once, with all its tags, and those that have none", async () => {
    const { host, untagged } = await withApp();
    const lost = image("lost").manifest.descriptor.digest;
    untagged({ tags: [], digest: lost, state: "archived" });
    untagged({ tags: [] });
    expect(await must("ls", "--images", `${host}/team/app`)).toBe(`${digest}\n${lost}\n`);
    const lines = (await must("ls", "-l", "--images", `${host}/team/app`)).split("\n");
    expect(lines[1]).toMatch(new RegExp(`^${digest}  1\\.0, old  4\\.3 kB  2026-11-20 14:05  - +-$`));
    expect(lines[2]).toMatch(new RegExp(`^${lost}  - .* archived$`));
    expect((await gantry(["ls", "--images", host])).code).toBe(2);
  });

  test("with --images of a plain registry and of a layout goes by their tags", async () => {
    const { host, store } = await testRegistry({ extension: false });
    for (const tag of ["a", "b"]) await putImage(store("app"), app, tag);
    expect(await must("ls", "--images", `${host}/app`)).toBe(`${digest}\n`);
    expect(JSON.parse(await must("ls", "--images", "--format", "json", `${host}/app`))).toEqual([
      { reference: `${host}/app@${digest}`, digest, tagged: ["a", "b"] },
    ]);
  });

  test("with --services tells of each service what it can do, and in what it differs", async () => {
    await testService({ impossible: ["search"] });
    const text = await must("ls", "--services");
    expect(text).toMatch(/^harbor {2}Test Service\n {2}hosts +registry\.example\n/);
    expect(text).toMatch(/\n {2}not there +search\n/);
    expect(text).toContain("a push does not make the repository: it has to be created first");
    expect(text).toContain("a login lasts 12 hours");
    const all = JSON.parse(await must("ls", "--services", "--format", "json")) as { service: string }[];
    expect(all.at(-1)).toMatchObject({ service: "generic", abilities: { search: { how: "client" } } });
    expect(await must("ls", "--services", "-l")).toMatch(/\n {2}search +not there; do otherwise\n/);
    expect((await gantry(["ls", "--services", "registry.example"])).code).toBe(2);
    expect((await gantry(["ls"])).code).toBe(2);
  });
});

describe("copy and push with --create", () => {
  const unmade = { quirks: { createOnPush: "no" } } as const;

  test("create the repository before anything is sent, once there is something to send", async () => {
    const source = await testRegistry();
    await putImage(source.store("app"), app, "1");
    const { host, log } = await testService(unmade);
    await must("copy", "--create", `${source.host}/app:1`, `${host}/team/app:1`, `${host}/team/app:2`);
    await must("push", "--create", "--dry-run", `oci:${await layout()}:1`, `${host}/pushed:1`);
    expect(log).toEqual(["createRepository team/app"]);
    await must("push", "--create", `oci:${await layout()}:1`, `${host}/pushed:1`);
    expect((await gantry(["copy", "--create", `${source.host}/none:1`, `${host}/none`])).code).toBe(3);
    expect((await gantry(["copy", "--create", "-a", `${source.host}/none`, `${host}/none`])).code).toBe(3);
    await must("copy", `${source.host}/app:1`, `${host}/other:1`);
    expect(log).toEqual(["createRepository team/app", "createRepository pushed"]);
  });

  test.each<TestServiceOptions>([{ impossible: ["createRepository"] }, { quirks: { createOnPush: "yes" } }])(
    "leave it to the push where %j",
    async (options) => {
      const { host, log } = await testService(options);
      await must("push", "--create", `oci:${await layout()}:1`, `${host}/app:1`);
      expect(log).toEqual([]);
    },
  );

  test("say which end failed where it may not be created", async () => {
    const denied: NonNullable<TestServiceOptions["calls"]> = () => ({
      createRepository: () => Promise.reject(new RegistryError("DENIED", "ecr:CreateRepository is missing")),
    });
    const { host, store } = await testService({ ...unmade, calls: denied });
    const { code, stderr } = await gantry(["push", "--create", `oci:${await layout()}:1`, `${host}/app:1`]);
    expect(code).toBe(4);
    expect(stderr).toContain("ecr:CreateRepository is missing");
    await expect(Array.fromAsync(store("app").tags())).rejects.toMatchObject({ code: "NAME_UNKNOWN" });
  });
});

describe("--provider", () => {
  test("is for one registry: logins of a service's tools must not go to another", async () => {
    const { host } = await testService();
    const { code, stderr } = await gantry(["copy", "--provider", "harbor", `${host}/a`, "127.0.0.1:1/b"]);
    expect(code).toBe(2);
    expect(stderr).toContain("--provider is for one registry, and the command names 2");
    expect((await gantry(["copy", "--provider", "harbor", "oci:a", "oci:b"])).stderr).toContain("names none");
  });

  test.each(["sea:5000/x/y", "docker.io/library/x"])("counts beside Docker Hub: %s", async (place) => {
    const { stderr } = await gantry(["copy", "--provider", "harbor", "oci:nowhere", place, "redis"]);
    expect(stderr).not.toContain("--provider is for one registry");
  });
});

describe("repo info", () => {
  test("sums up all that the service tells", async () => {
    const { host } = await withApp();
    expect(await must("repo", "info", `${host}/team/app`)).toBe(
      [
        `Repository  ${host}/team/app`,
        "Service     Test Service",
        "Visibility  private",
        "Created     2026-01-02 03:04",
        "Holds       2 tags, 2.0 kB",
        "Tags are    mutable",
        "Lifecycle   as harbor has it, for project library",
        "Labels      team=core, draft",
        "",
      ].join("\n"),
    );
  });

  test("leaves out what the service does not have, without asking for it", async () => {
    const { host, log } = await withApp({ impossible: ["labels", "lifecycle", "immutability"] });
    const info = JSON.parse(await must("repo", "info", "--format", "json", `${host}/team/app`)) as object;
    expect(Object.keys(info)).not.toContain("labels");
    expect(log).toEqual(["describeRepository team/app"]);
  });

  test("names what this login may not see, and ends with 6", async () => {
    const { host } = await withApp({
      calls: () => ({
        labels: async () => {
          throw new RegistryError("DENIED", "ecr:ListTagsForResource is missing", { hint: "ask for it" });
        },
      }),
    });
    const { code, stdout, stderr } = await gantry(["repo", "info", `${host}/team/app`]);
    expect(code).toBe(6);
    expect(stdout).toContain("Lifecycle");
    expect(stderr).toBe("warning: ecr:ListTagsForResource is missing: ask for it\n");
  });

  test.each([
    ["HOST/none", 3, "there is no repository HOST/none"],
    ["HOST", 2, "names a registry, and no repository in it"],
    ["HOST/team/app:1.0", 2, "names an image, and this is about a repository"],
    ["oci:images", 2, "is no repository of a registry"],
  ])("of %s ends with %d", async (place, code, message) => {
    const { host } = await withApp();
    const ended = await gantry(["repo", "info", place.replace("HOST", host)]);
    expect(ended).toMatchObject({ code, stdout: "" });
    expect(ended.stderr).toContain(message.replace("HOST", host));
  });

  test("of a plain registry tells how many tags there are", async () => {
    const { host, store } = await testRegistry({ extension: false });
    await putImage(store("app"), app, "1");
    expect(await must("repo", "info", `${host}/app`)).toBe(
      `Repository  ${host}/app\nService     a plain registry\nHolds       1 tag\n`,
    );
  });
});

describe("repo create", () => {
  test("says of each whether it was there", async () => {
    const { host } = await withApp();
    expect(await must("repo", "create", `${host}/new`, `${host}/team/app`)).toBe(
      `created ${host}/new\n${host}/team/app is there already\n`,
    );
    expect(await must("repo", "list", host)).toBe("new\nteam/app\n");
  });

  test("where some fail, creates the others and ends with 6", async () => {
    const { host } = await testService({
      calls: (own) => ({
        createRepository: async (name, call) => {
          if (name === "b") throw new RegistryError("DENIED", "b is not yours", { hint: "ask the owner" });
          return own.createRepository(name, call);
        },
      }),
    });
    const ended = await gantry(["repo", "create", ...["a", "b", "c"].map((name) => `${host}/${name}`)]);
    expect(ended).toMatchObject({
      code: 6,
      stdout: `created ${host}/a\nfailed ${host}/b: b is not yours\ncreated ${host}/c\n`,
    });
    expect(ended.stderr).toContain("1 of 3 repositories could not be created");
    const alone = await gantry(["repo", "create", `${host}/b`]);
    expect(alone).toMatchObject({ code: 4, stdout: "", stderr: expect.stringContaining("b is not yours") });
  });

  test("of a plain registry is refused, with what to do instead", async () => {
    const { host } = await testRegistry({ extension: false });
    const { code, stderr } = await gantry(["repo", "create", `${host}/app`]);
    expect(code).toBe(1);
    expect(stderr).toContain("a plain registry cannot create a repository");
    expect(stderr).toContain("push to it: that makes it");
  });
});

describe("repo delete", () => {
  test("leaves alone what is not empty, whatever the yes", async () => {
    const { host, log } = await withApp();
    const { code, stderr } = await gantry(["repo", "delete", "--yes", `${host}/team/app`]);
    expect(code).toBe(1);
    expect(stderr).toContain(`${host}/team/app is not empty: it has 2 tags`);
    expect(stderr).toContain("say --force to delete it with all that is in it");
    expect(log).not.toContain("deleteRepository team/app");
  });

  test("names what goes, and without a yes does nothing", async () => {
    const { host, log } = await withApp();
    const ended = await gantry(["repo", "delete", "--force", `${host}/team/app`]);
    expect(ended).toMatchObject({ code: 2, stdout: "" });
    expect(ended.stderr).toContain(`would delete ${host}/team/app with 2 tags: 1.0, old\n`);
    expect(log).not.toContain("deleteRepository team/app");
    const dry = await gantry(["repo", "rm", "--dry-run", "--detailed-exitcode", "--force", `${host}/team/app`]);
    expect(dry).toMatchObject({ code: 7, stdout: `would delete ${host}/team/app with 2 tags: 1.0, old\n` });
  });

  test("with both deletes it with all that is in it, and an empty one with a yes", async () => {
    const { host } = await withApp();
    await must("repo", "create", `${host}/empty`);
    expect(await must("repo", "rm", "-y", `${host}/empty`)).toBe(`deleted ${host}/empty, which was empty\n`);
    expect(await must("repo", "rm", "-y", "--force", `${host}/team/app`)).toContain(
      `deleted ${host}/team/app with 2 tags`,
    );
    expect((await gantry(["repo", "rm", "-y", `${host}/team/app`])).code).toBe(3);
  });

  test("does not call empty what has images without a tag", async () => {
    const { host, untagged } = await testService({
      calls: (own) => ({
        describeRepository: async (name) => ((await own.describeRepository(name)) ? { name } : undefined),
      }),
    });
    await must("repo", "create", `${host}/app`);
    untagged({ tags: [], digest });
    const kept = await gantry(["repo", "rm", "-y", `${host}/app`]);
    expect(kept.code).toBe(1);
    expect(kept.stderr).toContain(`${host}/app is not empty: it has images, though no tag is listed`);
    expect(await must("repo", "rm", "--dry-run", "--force", `${host}/app`)).toBe(
      `would delete ${host}/app with images, though no tag is listed\n`,
    );
  });
});

describe("immutability", () => {
  test("is set, with exceptions, and shown as it is then", async () => {
    const { host } = await withApp();
    const place = `${host}/team/app`;
    expect(await must("immutability", "get", place)).toBe(`${place}: tags are mutable\n`);
    const set = ["immutability", "set", "--tags", "immutable", "--except", "dev-*", "--except", "latest"];
    const dry = await gantry([...set, "--dry-run", "--detailed-exitcode", place]);
    expect(dry).toMatchObject({
      code: 7,
      stdout: `${place}: tags are mutable; they would be immutable, but for dev-*, latest\n`,
    });
    expect(await must(...set, place)).toBe(`${place}: tags are immutable, but for dev-*, latest; they were mutable\n`);
    expect((await gantry([...set, "--dry-run", "--detailed-exitcode", place])).code).toBe(0);
  });

  test("that the service did not take in is no success", async () => {
    const { host } = await withApp({ calls: () => ({ setImmutability: async () => {} }) });
    const ended = await gantry(["immutability", "set", "--tags", "immutable", `${host}/team/app`]);
    expect(ended).toMatchObject({ code: 1, stdout: `${host}/team/app: tags are mutable; they were mutable\n` });
    expect(ended.stderr).toContain("the service took it, and yet says that tags are mutable");
  });

  test("says for what else than the repository it holds", async () => {
    const { host } = await withApp({
      calls: () => ({ immutability: async () => ({ tags: "immutable", scope: "project team" }) }),
    });
    expect(await must("immutability", "get", `${host}/team/app`)).toBe(
      `${host}/team/app: tags are immutable; for project team\n`,
    );
  });

  test.each([
    [[], "say --tags immutable or --tags mutable"],
    [["--tags", "frozen"], '"frozen" is none of mutable, immutable'],
    [["--tags", "mutable", "--patterns", "regex"], "--patterns says how --except is written"],
  ])("set %j is refused before anything is asked", async (words, message) => {
    const { host, log } = await testService();
    const { code, stderr } = await gantry(["immutability", "set", ...words, `${host}/app`]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(log).toEqual([]);
  });
});

describe("findings", () => {
  test("come with the worst first, and how many there are of each severity", async () => {
    const { host, log } = await withApp();
    expect(await must("findings", `${host}/team/app:1.0`)).toBe(
      [
        `Image    ${host}/team/app:1.0`,
        "Scanner  Scanner 1.0",
        "Scanned  2026-11-20 14:05",
        "Found    1 critical, 1 high, 1 low",
        "",
        "SEVERITY  ID          PACKAGE  INSTALLED  FIXED  TITLE",
        "critical  CVE-2026-1  openssl  3.0        3.1    -",
        "high      CVE-2026-2  zlib     1.0        1.1    a hole",
        "low       CVE-2026-3  zlib     1.0        -      -",
        "",
      ].join("\n"),
    );
    await must("findings", `${host}/team/app@${digest}`);
    await must("findings", `${host}/team/app`);
    expect(log).toEqual(["1.0", digest, "latest"].map((ref) => `findings team/app ${ref}`));
  });

  test("are shown by severity", async () => {
    const { host } = await withApp();
    const found = await must("findings", "--severity", "CRITICAL,low", "--format", "json", `${host}/team/app:1.0`);
    expect(JSON.parse(found)).toMatchObject({ vulnerabilities: [{ id: "CVE-2026-1" }, { id: "CVE-2026-3" }] });
    expect((await gantry(["findings", "--severity", "awful", `${host}/team/app`])).code).toBe(2);
  });

  test.each([
    ["complete", 0, ""],
    ["absent", 3, "it was not scanned: scanning is off\n"],
    ["running", 3, "the scan is not done yet: scanning is off\n"],
    ["unsupported", 1, "the service does not scan such an image: scanning is off\n"],
    ["failed", 1, "the scan failed: scanning is off\n"],
  ] as const)("of a scan that is %s end with %d", async (status, code, message) => {
    const { host, found } = await withApp();
    found({ status, note: "scanning is off", counts: {}, vulnerabilities: [] });
    const ended = await gantry(["findings", `${host}/team/app:1.0`]);
    expect(ended.code).toBe(code);
    expect(ended.stderr).toBe(message && `${host}/team/app:1.0: ${message}`);
    expect(ended.stdout).toContain(status === "complete" ? "Found  nothing" : "");
  });
});

describe("search", () => {
  test("finds what the service finds, under the filters of docker search", async () => {
    const { host, store, log } = await withApp();
    for (const name of ["apple", "pear"]) await putImage(store(name), image(name), "1");
    expect(cells(await must("search", `${host}/app`))).toEqual([
      ["NAME", "STARS", "OFFICIAL"],
      [`${host}/apple`, "12", "yes"],
      [`${host}/team/app`, "12", "yes"],
    ]);
    expect(JSON.parse(await must("search", "--limit", "1", "--format", "json", `${host}/app`))).toHaveLength(1);
    const starred = ["search", "-f", "stars=13", "-f", "is-official=true", "--format", "json", `${host}/app`];
    expect(JSON.parse(await must(...starred))).toEqual([]);
    expect(log.every((call) => call === "search")).toBe(true);
  });

  test("of a plain registry goes by names, and takes no filter", async () => {
    const { host, store } = await testRegistry({ extension: false });
    await putImage(store("team/app"), app, "1");
    expect(await must("search", `${host}/APP`)).toBe(`NAME\n${host}/team/app\n`);
    expect((await gantry(["search", "-f", "stars=1", `${host}/app`])).code).toBe(1);
  });

  test.each(["", "127.0.0.1:1/"])("wants something to search for: %j", async (term) => {
    const { code, stderr } = await gantry(["search", term]);
    expect(code).toBe(2);
    expect(stderr).toContain("nothing is named to search for");
  });

  test.each(["color=red", "stars=many", "is-official"])("takes no filter %j", async (filter) => {
    expect((await gantry(["search", "--filter", filter, "127.0.0.1:1/app"])).code).toBe(2);
  });
});

describe("quota and replication", () => {
  test("are tables of what the service tells", async () => {
    const { host } = await testService();
    expect(cells(await must("quota", host))).toEqual([
      ["WHAT", "LEFT", "USED", "LIMIT", "FOR"],
      ["pulls", "76", "-", "100", "6h 00m"],
      ["storage", "-", "1.5 MB", "2.0 MB", "-"],
    ]);
    expect(cells(await must("replication", host))).toEqual([
      ["RULE", "TO", "REPOSITORIES", "ENABLED"],
      ["abroad", "mirror.example", "team/**", "yes"],
    ]);
  });

  test("where there is nothing say so, and show no table; a program gets an empty list", async () => {
    const { host } = await testService({ calls: () => ({ async *replication() {}, allowances: async () => [] }) });
    const none = { code: 0, stdout: "" };
    expect(await gantry(["replication", host])).toMatchObject({
      ...none,
      stderr: `${host} has no rules of replication\n`,
    });
    expect(await gantry(["quota", host])).toMatchObject({ ...none, stderr: `${host} tells of no limits\n` });
    expect((await gantry(["replication", "--format", "json", host])).stdout).toBe("[]\n");
  });

  test("of a plain registry: it tells of no limits, and its rules are elsewhere", async () => {
    const { host } = await testRegistry({ extension: false });
    expect((await gantry(["quota", host])).stderr).toBe(`${host} tells of no limits\n`);
    expect(await gantry(["replication", host])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("read the registry's configuration"),
    });
    expect((await gantry(["quota", "team/app"])).code).toBe(2);
  });
});

/** A list that is nobody's but the service's. */
const fixedList: NonNullable<TestServiceOptions["calls"]> = () => ({
  async *listRepositories() {
    yield { name: "native" };
  },
});
