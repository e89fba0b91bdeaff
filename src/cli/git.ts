import { execFile } from "node:child_process";
import type { BuildContext } from "../policy/index.ts";

interface Where {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

const plainList = ["--no-column", "--no-color"];

/** What the git repository says that a directory is in: its commit, branch or tag; undefined where there is none, or no git. */
export async function gitContext(where: Where): Promise<BuildContext | undefined> {
  const head = await git(["log", "-1", "--no-show-signature", "--no-color", "--format=%H %ct"], where);
  const [, sha, seconds] = /^([0-9a-f]{40,64}) (\d+)$/.exec(head ?? "") ?? [];
  if (sha === undefined) return undefined;
  const [branch, tags = "", origin] = await Promise.all([
    git(["symbolic-ref", "-q", "HEAD"], where),
    // The newest first; a pre-release is older than its version.
    git(["-c", "versionsort.suffix=-", "tag", "--points-at", "HEAD", "--sort=-version:refname", ...plainList], where),
    git(["symbolic-ref", "-q", "refs/remotes/origin/HEAD"], where),
  ]);
  const [tag = ""] = tags.split("\n");
  const ref = branch ?? (tag === "" ? undefined : `refs/tags/${tag}`);
  const defaultBranch = origin?.replace(/^refs\/remotes\/origin\//, "");
  return {
    sha,
    committed: Number(seconds) * 1000,
    ...(ref !== undefined && { ref }),
    ...(defaultBranch !== undefined && { defaultBranch }),
  };
}

/** What git writes; nothing where it fails, or is not there. */
function git(args: readonly string[], { cwd, env, signal }: Where): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const options = { cwd, env: { ...env, LC_ALL: "C" }, signal, timeout: 20_000 };
    execFile("git", args, options, (error, stdout) => {
      if (signal.aborted) reject(error ?? new Error("interrupted"));
      else resolve(error ? undefined : stdout.trim() || undefined);
    });
  });
}
