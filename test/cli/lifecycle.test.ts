import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { beforeEach, describe, expect, test } from "vitest";
import type { ServiceRegistry } from "../../src/provider/service.ts";
import { image, putImage } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { ecrPolicy, retention } from "./lifecycle-scene.ts";
import { testService, type TestService, type TestServiceOptions } from "./service-scene.ts";
import { gantry, testRegistry, type CliOptions } from "./support.ts";

let [ecr, harbor]: [string, string] = ["", ""];
let folder = "";
const file = async (name: string, text: string): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
};

beforeEach(async () => {
  folder = await temporaryDirectory();
  ecr = await file("ecr.json", JSON.stringify(ecrPolicy));
  harbor = await file("harbor.json", JSON.stringify(retention));
});

/** A service with images under two tags. */
async function scene(options: TestServiceOptions = {}): Promise<TestService & { readonly app: string }> {
  const service = await testService(options);
  for (const tag of ["1.0", "old"]) await putImage(service.store("library/app"), image(tag), tag);
  return { ...service, app: `${service.host}/library/app` };
}

const none = { lifecycle: async () => undefined } as Partial<ServiceRegistry>;

describe("lifecycle get", () => {
  test("prints the document, and says on stderr whose it is and what it holds for", async () => {
    const { app } = await scene();
    const { code, stdout, stderr } = await gantry(["lifecycle", "get", app]);
    expect([code, JSON.parse(stdout)]).toEqual([0, retention]);
    expect(stderr).toBe(`${app}: a policy of harbor, for project library\n`);
    const yaml = await gantry(["lifecycle", "get", "--format", "yaml", app]);
    expect(yaml.stdout).toContain("algorithm: or\n");
  });

  test("ends with 3 where there is none", async () => {
    const { app } = await scene({ calls: () => none });
    const { code, stdout, stderr } = await gantry(["lifecycle", "get", app]);
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toContain("has no lifecycle policy");
  });
});

describe("lifecycle set", () => {
  test("sets a policy, and what it gets is got again", async () => {
    const { app, log } = await scene();
    const yaml = await file(
      "p.yaml",
      (await gantry(["lifecycle", "get", "--format", "yaml", app])).stdout.replaceAll("10", "5"),
    );
    const { code, stdout } = await gantry(["lifecycle", "set", app, yaml]);
    expect([code, stdout]).toEqual([0, `${app}: the policy of harbor, for project library is set\n`]);
    expect((await gantry(["lifecycle", "get", app])).stdout).toContain('"latestPushedK": 5');
    expect(log).toContain("setLifecycle library/app");
  });

  test("sends nothing that the service would refuse", async () => {
    const { app, log } = await scene();
    const bad = await file("bad.json", JSON.stringify({ ...retention, algorithm: "and", rules: [{}] }));
    const { code, stderr } = await gantry(["lifecycle", "set", app, bad]);
    expect(code).toBe(2);
    expect(stderr).toContain("bad.json:1:14: algorithm: has to be or; ");
    expect(stderr).toContain("bad.json:1:29: rules[0].action: is missing");
    expect(log).toEqual([]);
  });

  test("takes one of another service only where --from says so", async () => {
    const { app, log } = await scene();
    const { code, stderr } = await gantry(["lifecycle", "set", app, ecr]);
    expect(code).toBe(2);
    expect(stderr).toContain("looks like a policy of ecr");
    expect(stderr).toContain("--from ecr");
    expect(log).toEqual([]);
  });

  test("names what is lost, and does nothing without a yes", async () => {
    const { app, log } = await scene();
    const words = ["lifecycle", "set", "--from", "ecr", app, ecr];
    const asked = await gantry(words);
    expect(asked.code).toBe(2);
    expect(asked.stderr).toContain("lost: rules[1] counts the manifests");
    expect(asked.stderr).toContain("--yes");
    const shown = await gantry([...words, "--dry-run", "--format", "json"]);
    expect(JSON.parse(shown.stdout)).toMatchObject({
      repository: app,
      dialect: "harbor",
      done: false,
      losses: expect.arrayContaining([expect.objectContaining({ at: "rules[1]" })]),
    });
    expect(log).toEqual([]);
    const no = await gantry(words, typist("n"));
    expect([no.code, log]).toEqual([1, []]);
    const done = await gantry([...words, "--yes"]);
    expect(done.code).toBe(0);
    expect(log).toEqual(["setLifecycle library/app"]);
    expect((await gantry(["lifecycle", "get", app])).stdout).toContain('"nDaysSinceLastPush": 14');
  });

  test("sets nothing where nothing is left", async () => {
    const { app } = await scene();
    const policy = { cleanupPolicies: { new: { action: "DELETE", condition: { newerThan: "86400s" } } } };
    const google = await file("google.json", JSON.stringify(policy));
    const { code, stderr } = await gantry(["lifecycle", "set", "--from", "artifact-registry", "--yes", app, google]);
    expect(code).toBe(2);
    expect(stderr).toContain("lost: cleanupPolicies.new deletes what is young");
    expect(stderr).toContain("harbor can say nothing of this policy");
  });

  test("is refused, with what to do instead, where there are no policies", async () => {
    const { host, store } = await testRegistry({ extension: false });
    await putImage(store("app"), image("1"), "1");
    for (const words of [["get"], ["preview"], ["delete", "--yes"]]) {
      const { code, stderr } = await gantry(["lifecycle", ...words, `${host}/app`]);
      expect([code, stderr]).toEqual([1, expect.stringContaining("a plain registry cannot")]);
    }
    const { code, stderr } = await gantry(["lifecycle", "set", `${host}/app`, harbor]);
    expect([code, stderr]).toEqual([1, expect.stringContaining("a plain registry cannot set a lifecycle policy")]);
  });
});

/** Somebody at a terminal, who answers what is asked once it is. */
function typist(answer: string): Pick<CliOptions, "stdin" | "terminal" | "onStderr"> {
  const stream = new Duplex({ read() {}, write: (_piece, _encoding, done) => done() });
  const onStderr = (text: string): void => void (text.includes("[y/N]") && stream.push(`${answer}\r`));
  return { stdin: Object.assign(stream, { isTTY: true as const, setRawMode: () => stream }), terminal: 80, onStderr };
}

test("lifecycle set converts a policy of Gantry's own", async () => {
  const { app, log } = await scene();
  const path = await file("own.yaml", "version: 1\nrules:\n- untagged: true\n  delete: {olderThan: 3d}\n");
  const refused = await gantry(["lifecycle", "set", app, path]);
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("looks like a policy of gantry")]);
  const { code, stderr } = await gantry(["lifecycle", "set", "--from", "gantry", "--yes", app, path]);
  expect([code, log], stderr).toEqual([0, ["setLifecycle library/app"]]);
  expect((await gantry(["lifecycle", "get", app])).stdout).toContain('"nDaysSinceLastPush": 3');
});

describe("lifecycle preview", () => {
  test("shows what the service says, and what stays only when asked", async () => {
    const { app, log } = await scene();
    const { code, stdout, stderr } = await gantry(["lifecycle", "preview", app, harbor]);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^ACTION +TAGS +DIGEST +SIZE +RULE\ndelete +old +sha256:\S+ +4321 B|4.3 kB +rule 1\n$/);
    expect(stderr).toContain("1 image or tag would go (4.3 kB");
    expect(log).toEqual(["previewLifecycle library/app"]);
    const all = await gantry(["lifecycle", "preview", "--all", "--format", "json", app]);
    expect(JSON.parse(all.stdout)).toHaveLength(2);
  });

  const untried: TestServiceOptions = { impossible: ["previewLifecycle"] };

  test("is worked out here where the service does not try policies", async () => {
    const { app } = await scene(untried);
    const strictest = { ...retention, rules: [{ ...retention.rules[0], params: { latestPushedK: 1 } }] };
    const path = await file("one.json", JSON.stringify(strictest));
    const { code, stdout, stderr } = await gantry(["lifecycle", "preview", "--all", "--format", "json", app, path]);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain("Test Service does not try policies: this is worked out here, by a policy of harbor");
    const rows = JSON.parse(stdout) as readonly { readonly action: string; readonly reason: string }[];
    expect(rows.map(({ action, reason }) => [action, reason])).toEqual([
      ["keep", "it is retained"],
      ["delete", "no rule retains it"],
    ]);
    const set = await gantry(["lifecycle", "preview", app]);
    expect([set.code, set.stdout.split("\n").length]).toEqual([0, 2]);
    expect(set.stderr).toContain("nothing would go");
  });

  test("goes by no time that nobody vouches for, unless told so", async () => {
    const images: ServiceRegistry["images"] = async function* () {
      yield { tags: ["1.0"], created: "1970-01-01T00:00:00Z" };
    };
    const { app } = await scene({ ...untried, calls: () => ({ images }) });
    const { code, stderr } = await gantry(["lifecycle", "preview", app]);
    expect(code).toBe(2);
    expect(stderr).toContain("--use-created");
    expect((await gantry(["lifecycle", "preview", "--use-created", app])).code).toBe(0);
  });

  test("tells what a conversion loses, and needs no yes for it", async () => {
    const { app } = await scene(untried);
    const { code, stderr } = await gantry(["lifecycle", "preview", "--from", "ecr", app, ecr]);
    expect([code, stderr]).toEqual([0, expect.stringContaining("lost: rules[1] counts the manifests")]);
  });
});

describe("lifecycle delete", () => {
  test("shows the policy, and does nothing without a yes", async () => {
    const { app, log } = await scene();
    const asked = await gantry(["lifecycle", "delete", app]);
    expect([asked.code, log]).toEqual([2, ["lifecycle library/app"]]);
    expect(asked.stderr).toContain('"latestPushedK": 10');
    const shown = await gantry(["lifecycle", "delete", "--dry-run", "--format", "json", app]);
    expect(JSON.parse(shown.stdout)).toMatchObject({ done: false, scope: "project library" });
    const done = await gantry(["lifecycle", "delete", "--yes", app]);
    expect([done.code, done.stdout]).toEqual([0, `${app}: the policy of harbor, for project library is deleted\n`]);
    expect((await gantry(["lifecycle", "delete", "--yes", app])).code).toBe(3);
  });
});

describe("lifecycle convert", () => {
  test("reads stdin and YAML, and writes YAML", async () => {
    const { code, stdout, stderr } = await gantry(["lifecycle", "convert", "--to", "gitlab", "--format", "yaml", "-"], {
      stdin: "policies:\n  - method: number_of_tags\n    value: 7\n    tagPattern: ^dev-\n",
    });
    expect([code, stdout]).toEqual([0, expect.stringContaining("keep_n: 10\n")]);
    expect(stderr).toBe("lost: policies[0] keeps 7: with GitLab 10, the next that it has\n");
  });

  test("--strict writes nothing where anything is lost", async () => {
    const lossy = await gantry(["lifecycle", "convert", "--strict", "--to", "gitlab", ecr]);
    expect([lossy.code, lossy.stdout]).toEqual([1, ""]);
    const exact = await gantry(["lifecycle", "convert", "--strict", "--simple-images", "--to", "ecr", harbor]);
    expect([exact.code, exact.stderr]).toEqual([0, ""]);
  });

  test("writes Terraform, and JSON where that is asked for", async () => {
    const words = ["lifecycle", "convert", "--to", "ecr", "--as", "terraform", "--repository", "team/app", ecr];
    const { code, stdout, stderr } = await gantry(words);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^resource "aws_ecr_lifecycle_policy" "team_app" \{\n  repository = "team\/app"\n/);
    const both = await gantry([...words, "--mutability", "immutable"]);
    expect(both.stdout).toContain('image_tag_mutability = "IMMUTABLE"');
    expect(JSON.parse((await gantry([...words, "--format", "json"])).stdout)).toEqual(ecrPolicy);
  });

  test("to Gantry's own and back", async () => {
    const own = await gantry(["lifecycle", "convert", "--simple-images", "--to", "gantry", ecr]);
    expect([own.code, own.stderr]).toEqual([0, expect.stringContaining("lost: rules[1] counts what has tags")]);
    expect(JSON.parse(own.stdout)).toEqual({
      version: 1,
      rules: [
        { tags: ["dev-*"], delete: { olderThan: "14d" } },
        { keep: { newest: 10 } },
        { untagged: true, keep: { newest: 10 }, delete: { olderThan: "0m" } },
      ],
    });
    const path = await file("own.yaml", "version: 1\nrules:\n- tags: [dev-*]\n  delete: {olderThan: 14d}\n");
    const again = await gantry(["lifecycle", "convert", "--simple-images", "--to", "ecr", path]);
    expect(JSON.parse(again.stdout)).toMatchObject({
      rules: [{ selection: { tagPatternList: ["dev-*"], countType: "sinceImagePushed", countNumber: 14 } }],
    });
  });

  test("a policy of Gantry's own is checked, with the place of what is wrong", async () => {
    const path = await file("own.yaml", "version: 1\nrules:\n- tags: [dev-*]\n  delete: {olderThan: 14 days}\n");
    const { code, stderr } = await gantry(["lifecycle", "convert", "--to", "ecr", path]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("own.yaml:4:")]);
  });

  test.each<readonly [words: readonly string[], message: string]>([
    [["--to", "gitlab", "--as", "terraform", "--repository", "app"], "only policies of ECR are written for Terraform"],
    [["--to", "ecr", "--as", "terraform"], "say --repository NAME"],
    [["--to", "ecr", "--repository", "app"], "say --as terraform"],
    [["--to", "ecr", "--as", "yaml"], '"yaml" is none of terraform'],
  ])("refuses %j", async (words, message) => {
    const { code, stdout, stderr } = await gantry(["lifecycle", "convert", ...words, ecr]);
    expect([code, stdout, stderr]).toEqual([2, "", expect.stringContaining(message)]);
  });

  test.each<readonly [text: string, words: readonly string[], message: string]>([
    ['{"rules": [', ["--to", "ecr"], "x.json:1:12: this is neither JSON nor YAML"],
    ["a: &a [*a, *b]", ["--to", "ecr"], "aliases"],
    ["just a text", ["--to", "ecr"], "it cannot be told of which service"],
    ["", ["--to", "ecr", "--from", "quay"], "x.json: it has to be an object\n  hint  it was read as a policy of quay"],
    [
      '[{"name": "x", "action": "DELETE"}]',
      ["--to", "ecr", "--from", "artifact-registry"],
      "is a list, and not as gcloud reads them",
    ],
    ["{}", ["--to", "dockerhub"], '"dockerhub" is none of ecr'],
    ["{}", [], "say --to"],
    [" ".repeat(2 << 20), ["--to", "ecr"], "and no more is read"],
    [JSON.stringify({ days: 1e3 }), ["--to", "ecr"], "x.json:1:9: days: has to be a whole number, from 0 to 365"],
  ])("refuses %#", async (text, words, message) => {
    const { code, stdout, stderr } = await gantry(["lifecycle", "convert", await file("x.json", text), ...words]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(message);
  });

  test("a file that is not there is named", async () => {
    const { code, stderr } = await gantry(["lifecycle", "convert", "--to", "ecr", join(folder, "none.json")]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("none.json: there is no such file")]);
    const directory = await gantry(["lifecycle", "convert", "--to", "ecr", folder]);
    expect([directory.code, directory.stderr]).toEqual([
      2,
      expect.stringContaining(`cannot read ${folder}: it is a directory`),
    ]);
  });
});
