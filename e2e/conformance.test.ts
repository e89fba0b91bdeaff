import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeWith, peer } from "./support/peers.ts";
import { type RunningRegistry, startDockerRegistry, startGantryRegistry } from "./support/registries.ts";
import { run } from "./support/run.ts";

// The official suite of the distribution spec (its directory `conformance`, the rewritten one), at its `dev` level.

/** One test of the suite. */
interface Case {
  readonly name: string;
  readonly status: string;
}

/** What a run of the suite said: every test, and the features that it did not ask for. */
interface Report {
  readonly cases: readonly Case[];
  readonly disabled: readonly string[];
}

async function conformance(registry: RunningRegistry): Promise<Report> {
  const results = await mkdtemp(join(tmpdir(), "gantry-e2e-conformance-"));
  try {
    const env = {
      OCI_VERSION: "dev",
      OCI_REGISTRY: registry.host,
      OCI_TLS: "disabled",
      OCI_RESULTS_DIR: results,
      OCI_LOG: "error",
    };
    // It ends with 1 for a failed test and writes its reports all the same.
    await run(peer("oci-conformance")?.path ?? "", [], { cwd: results, env, timeout: 100_000 });
    const junit = await readFile(join(results, "junit.xml"), "utf8");
    const yaml = await readFile(join(results, "results.yaml"), "utf8");
    const cases = [...junit.matchAll(/<testcase name="([^"]*)"[^>]* status="([^"]*)"/g)];
    return {
      cases: cases.map(([, name = "", status = ""]) => ({ name, status })),
      disabled: [...yaml.matchAll(/^ {2}(.+): Disabled$/gm)].map(([, feature = ""]) => feature),
    };
  } finally {
    await rm(results, { recursive: true, force: true });
  }
}

const notPassed = ({ cases }: Report): readonly Case[] => cases.filter(({ status }) => status !== "passed");

describeWith("oci-conformance", "the official conformance suite at its dev level", () => {
  test("Gantry's registry passes all of it", async () => {
    await using registry = await startGantryRegistry();
    const report = await conformance(registry);
    expect(notPassed(report)).toEqual([]);
    expect(report.disabled).toEqual(["Sparse Manifests"]); // What `dev` itself leaves out.
    expect(report.cases.length).toBeGreaterThan(750); // 793, of the 986 that the suite counts with its groups.
  });

  describeWith("docker-registry", "beside it", () => {
    test("docker-registry fails much of it, so the suite bites", async () => {
      await using registry = await startDockerRegistry();
      const failures = notPassed(await conformance(registry)).filter(({ status }) => status === "failure");
      expect(failures.length).toBeGreaterThan(100);
    });
  });
});
