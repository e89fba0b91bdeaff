import { expect, test } from "vitest";
import { ciContext, withGithubEvent } from "../../../src/policy/tags/ci.ts";

const sha = "860c1904a1ce19322e91ac35af1ab07466440c37";

test.each([
  [
    { GITHUB_ACTIONS: "true", GITHUB_REF: "refs/heads/main", GITHUB_SHA: sha, GITHUB_EVENT_NAME: "push" },
    { ci: "GitHub Actions", ref: "refs/heads/main", sha, event: "push" },
  ],
  [
    {
      GITHUB_ACTIONS: "true",
      GITHUB_REF: "refs/pull/15/merge",
      GITHUB_SHA: sha,
      GITHUB_EVENT_NAME: "pull_request",
      GITHUB_BASE_REF: "main",
    },
    { ci: "GitHub Actions", ref: "refs/pull/15/merge", sha, event: "pull_request", baseRef: "main" },
  ],
  [
    {
      GITLAB_CI: "true",
      CI_COMMIT_TAG: "v1.0.0",
      CI_COMMIT_SHA: sha,
      CI_DEFAULT_BRANCH: "main",
      CI_COMMIT_TIMESTAMP: "2026-11-20T14:05:00+00:00",
    },
    { ci: "GitLab CI", ref: "refs/tags/v1.0.0", sha, event: "push", defaultBranch: "main", committed: 1795183500000 },
  ],
  [
    { GITLAB_CI: "true", CI_MERGE_REQUEST_IID: "7", CI_MERGE_REQUEST_TARGET_BRANCH_NAME: "main", CI_COMMIT_SHA: sha },
    { ci: "GitLab CI", ref: "refs/pull/7/merge", sha, event: "pull_request", baseRef: "main" },
  ],
  [
    { GITLAB_CI: "true", CI_COMMIT_BRANCH: "main", CI_PIPELINE_SOURCE: "schedule", CI_COMMIT_SHA: sha },
    { ci: "GitLab CI", ref: "refs/heads/main", sha, event: "schedule" },
  ],
  [
    { TF_BUILD: "True", BUILD_SOURCEBRANCH: "refs/heads/main", BUILD_SOURCEVERSION: sha, BUILD_REASON: "Schedule" },
    { ci: "Azure Pipelines", ref: "refs/heads/main", sha, event: "schedule" },
  ],
  [
    {
      TF_BUILD: "True",
      BUILD_SOURCEBRANCH: "refs/pull/900/merge",
      BUILD_SOURCEVERSION: sha,
      SYSTEM_PULLREQUEST_PULLREQUESTNUMBER: "12",
      SYSTEM_PULLREQUEST_TARGETBRANCH: "refs/heads/main",
    },
    { ci: "Azure Pipelines", ref: "refs/pull/12/merge", sha, event: "pull_request", baseRef: "main" },
  ],
  [
    { BITBUCKET_BUILD_NUMBER: "1", BITBUCKET_TAG: "v2", BITBUCKET_COMMIT: sha },
    { ci: "Bitbucket Pipelines", ref: "refs/tags/v2", sha, event: "push" },
  ],
  [
    { CIRCLECI: "true", CIRCLE_BRANCH: "fix", CIRCLE_PULL_REQUEST: "https://github.com/a/b/pull/33", CIRCLE_SHA1: sha },
    { ci: "CircleCI", ref: "refs/pull/33/merge", sha, event: "pull_request" },
  ],
  [
    {
      TRAVIS: "true",
      TRAVIS_BRANCH: "main",
      TRAVIS_PULL_REQUEST: "false",
      TRAVIS_COMMIT: sha,
      TRAVIS_EVENT_TYPE: "cron",
    },
    { ci: "Travis CI", ref: "refs/heads/main", sha, event: "schedule" },
  ],
  [
    {
      BUILDKITE: "true",
      BUILDKITE_BRANCH: "main",
      BUILDKITE_PULL_REQUEST: "false",
      BUILDKITE_COMMIT: sha,
      BUILDKITE_PIPELINE_DEFAULT_BRANCH: "main",
    },
    { ci: "Buildkite", ref: "refs/heads/main", sha, event: "push", defaultBranch: "main" },
  ],
  [
    { CI: "woodpecker", CI_COMMIT_BRANCH: "main", CI_COMMIT_SHA: sha, CI_PIPELINE_EVENT: "cron" },
    { ci: "Woodpecker", ref: "refs/heads/main", sha, event: "schedule" },
  ],
  [
    { DRONE: "true", CI: "drone", DRONE_PULL_REQUEST: "3", DRONE_TARGET_BRANCH: "main", DRONE_COMMIT_SHA: sha },
    { ci: "Drone", ref: "refs/pull/3/merge", sha, event: "pull_request", baseRef: "main" },
  ],
  [
    { JENKINS_URL: "https://ci.example", GIT_BRANCH: "origin/main", GIT_COMMIT: sha },
    { ci: "Jenkins", ref: "refs/heads/main", sha, event: "push" },
  ],
  [
    { JENKINS_URL: "https://ci.example", BRANCH_NAME: "PR-4", CHANGE_ID: "4", CHANGE_TARGET: "main", GIT_COMMIT: sha },
    { ci: "Jenkins", ref: "refs/pull/4/merge", sha, event: "pull_request", baseRef: "main" },
  ],
  [{ CI: "true", CI_COMMIT_BRANCH: "main" }, undefined],
  [{}, undefined],
])("%j", (env: Readonly<Record<string, string>>, context) => {
  expect(ciContext(env)).toEqual(context);
});

test("GitHub's event tells the default branch, and what is below a tag or pull request", () => {
  const context = { ci: "GitHub Actions", ref: "refs/tags/v1.1.1", sha, event: "push" };
  const payload = {
    base_ref: "refs/heads/master",
    repository: { default_branch: "master" },
    head_commit: { id: sha, timestamp: "2022-04-19T11:39:35+02:00" },
  };
  expect(withGithubEvent(context, payload)).toEqual({
    ...context,
    baseRef: "master",
    defaultBranch: "master",
    committed: Date.parse("2022-04-19T09:39:35Z"),
  });
  const target = { ci: "GitHub Actions", ref: "refs/heads/main", sha, event: "pull_request_target" };
  const pull = { number: 15, pull_request: { base: { ref: "main" } } };
  expect(withGithubEvent(target, pull)).toEqual({ ...target, ref: "refs/pull/15/merge", baseRef: "main" });
});

test.each([null, [], "text", { repository: "x", head_commit: null, pull_request: 4, number: "5", base_ref: 7 }])(
  "an event that is not as expected says nothing: %j",
  (payload) => {
    const context = { ci: "GitHub Actions", ref: "refs/tags/v1", sha, event: "pull_request_target" };
    expect(withGithubEvent(context, payload)).toEqual(context);
  },
);
