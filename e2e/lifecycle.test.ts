import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkDocument } from "../src/policy/lifecycle/check.ts";
import { ecrTerraform } from "../src/policy/lifecycle/ecr/terraform.ts";
import { ecrPolicy } from "../test/cli/lifecycle-scene.ts";
import { lifecycleDocument } from "../test/provider/aws-answers.ts";
import type { EcrRule } from "../src/policy/lifecycle/ecr/document.ts";
import { startMoto, type Moto } from "./support/moto.ts";
import { describeWith, peer } from "./support/peers.ts";
import { run, type Outcome } from "./support/run.ts";

let work: string;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "gantry-e2e-"));
});
afterAll(() => rm(work, { recursive: true, force: true }));

describeWith("hclfmt", "Terraform, read and formatted by HashiCorp's own hclfmt", () => {
  const hclfmt = (...words: string[]): Promise<Outcome> => run(peer("hclfmt")!.path, words);
  const strange = { rules: [{ ...ecrPolicy.rules[0], description: 'a "${b}" %{if c}\n\\ \u007f é' }] };

  test.each([
    ["a policy", ecrPolicy, undefined],
    ["one with repositories", lifecycleDocument, "IMMUTABLE"],
    ["one with strange texts", strange, "MUTABLE"],
  ] as const)("%s", async (name, document, mutability) => {
    expect(checkDocument("ecr", document)).toEqual([]);
    const file = join(work, `${name.replaceAll(" ", "-")}.tf`);
    const text = ecrTerraform(document, {
      repositories: ["team/app", "team-app", "9"],
      ...(mutability && { mutability }),
    });
    await writeFile(file, text);
    expect(await hclfmt("-check", file)).toMatchObject({ code: 0, stderr: "" });
    const { code, stdout, stderr } = await hclfmt(file);
    expect([code, stderr, stdout]).toEqual([0, "", text]);
  });

  test("what is no Terraform is told", async () => {
    const file = join(work, "broken.tf");
    await writeFile(file, 'resource "a" "b" {\n  c = "${d"\n}\n');
    expect(await hclfmt("-check", file)).toMatchObject({ code: 1, stderr: expect.stringContaining("Error:") });
  });
});

/**
 * Moto 5.2.1 has no preview of lifecycle policies (StartLifecyclePolicyPreview), so that what they would do is compared with
 * AWS's worked examples alone (test/policy/lifecycle/documented.test.ts); what it has is a check of what is set.
 */
describeWith("moto_server", "lifecycle policies of ECR, as moto checks them", () => {
  let moto: Moto;
  const call = async (action: string, body: object): Promise<Response> =>
    fetch(moto.url, {
      method: "POST",
      headers: {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": `AmazonEC2ContainerRegistry_V20150921.${action}`,
        authorization:
          "AWS4-HMAC-SHA256 Credential=a/20261125/eu-central-1/ecr/aws4_request, SignedHeaders=host, Signature=0",
      },
      body: JSON.stringify(body),
    });
  const takes = async (document: unknown): Promise<boolean> => {
    const lifecyclePolicyText = JSON.stringify(document);
    return (await call("PutLifecyclePolicy", { repositoryName: "app", lifecyclePolicyText })).ok;
  };
  beforeAll(async () => {
    moto = await startMoto();
    expect((await call("CreateRepository", { repositoryName: "app" })).status).toBe(200);
  });
  afterAll(() => moto?.[Symbol.asyncDispose]());

  test("a preview is not there", async () => {
    expect((await call("StartLifecyclePolicyPreview", { repositoryName: "app" })).ok).toBe(false);
  });

  const [rule, last] = ecrPolicy.rules as unknown as readonly [EcrRule, EcrRule];
  const selection = (more: object): object => ({ rules: [{ ...rule, selection: { ...rule.selection, ...more } }] });
  const idle = {
    ...last,
    selection: { tagStatus: "any", countType: "sinceImagePulled", countUnit: "days", countNumber: 9 },
  };

  test.each<readonly [name: string, document: unknown, here: boolean, there: boolean]>([
    ["what both take", ecrPolicy, true, true],
    ["no rules", {}, false, false],
    ["a rule without an action", { rules: [{ ...rule, action: undefined }] }, false, false],
    ["a key that is not known", { rules: [{ ...rule, enabled: true }] }, false, false],
    ["an unknown status", selection({ tagStatus: "all" }), false, false],
    ["an unknown unit", selection({ countUnit: "hours" }), false, false],
    ["a count of none", selection({ countNumber: 0 }), false, false],
    // It does not look at how fields and rules go together, as AWS's page on their properties says they have to.
    ["tagged without a list", selection({ tagPatternList: undefined }), false, true],
    ["two rules of one priority", { rules: [rule, { ...last, rulePriority: 1 }] }, false, true],
    [
      "any before others",
      {
        rules: [
          { ...last, rulePriority: 1 },
          { ...rule, rulePriority: 2 },
        ],
      },
      false,
      true,
    ],
    // It is older than archives, of 2025.
    ["archiving", { rules: [{ ...idle, action: { type: "transition", targetStorageClass: "archive" } }] }, true, false],
    ["expiring by pulls, which AWS refuses too", { rules: [{ ...idle, action: { type: "expire" } }] }, false, false],
  ])("%s", async (_name, document, here, there) => {
    expect([checkDocument("ecr", document).length === 0, await takes(document)]).toEqual([here, there]);
  });
});
