import os, { userInfo } from "node:os";
import { syncBuiltinESMExports } from "node:module";
import { expect, onTestFinished, test, vi } from "vitest";
import { actorOf } from "../../src/cli/actor.ts";

test.each([
  [{ USER: "alice" }, undefined, { name: "alice", by: "the machine's user" }],
  [{}, undefined, { name: userInfo().username, by: "the machine's user" }],
  [{ USER: "alice" }, "bob", { name: "bob", by: "--by" }],
  [
    {
      USER: "runner",
      GITHUB_ACTOR: "alice",
      GITHUB_SERVER_URL: "https://github.example",
      GITHUB_REPOSITORY: "shop/app",
      GITHUB_RUN_ID: "42",
    },
    undefined,
    { name: "alice", by: "GitHub Actions", run: "https://github.example/shop/app/actions/runs/42" },
  ],
  [
    { GITLAB_USER_LOGIN: "alice", CI_JOB_URL: "https://gitlab.example/shop/app/-/jobs/7" },
    "bob",
    { name: "bob", by: "--by", run: "https://gitlab.example/shop/app/-/jobs/7" },
  ],
  [
    {
      BUILD_REQUESTEDFOR: "Alice",
      SYSTEM_COLLECTIONURI: "https://dev.example/shop/",
      SYSTEM_TEAMPROJECT: "my app",
      BUILD_BUILDID: "9",
    },
    undefined,
    { name: "Alice", by: "Azure Pipelines", run: "https://dev.example/shop/my%20app/_build/results?buildId=9" },
  ],
  [
    { BUILD_USER_ID: "alice", BUILD_URL: "https://user:secret@ci.example/job/7" },
    undefined,
    { name: "alice", by: "Jenkins" },
  ],
])("%j and --by %s: %j", (env, typed, who) => {
  expect(actorOf(env, typed)).toEqual(who);
});

test("a user whom the machine has no name for is unknown", () => {
  const asked = vi.spyOn(os, "userInfo").mockImplementation(() => {
    throw new Error("uv_os_get_passwd returned ENOENT (no such file or directory)");
  });
  syncBuiltinESMExports();
  onTestFinished(() => {
    asked.mockRestore();
    syncBuiltinESMExports();
  });
  expect(actorOf({})).toEqual({ name: "unknown", by: "the machine's user" });
  expect(asked).toHaveBeenCalledOnce();
});
