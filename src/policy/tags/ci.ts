import type { BuildContext } from "./context.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/** What a CI says of a build, and how that CI is called. */
export interface CiContext extends BuildContext {
  readonly ci: string;
}

/** Which variables of a CI say what. Several names: the first that is set. */
interface Ci {
  readonly name: string;
  /** The variable that is set there and nowhere else, and the value that it has there if others use it too. */
  readonly mark: readonly [name: string, value?: RegExp];
  /** A whole ref. */
  readonly ref?: string;
  readonly tag?: string;
  readonly branch?: readonly string[];
  /** The number of a pull request, or an address that ends in it. */
  readonly pullRequest?: readonly string[];
  readonly sha: string;
  readonly base?: string;
  readonly defaultBranch?: string;
  /** The variable that says why it runs, and what it says where that is a schedule. */
  readonly schedule?: readonly [name: string, value: RegExp];
  readonly committed?: string;
}

/** In this order: some set the variables of others, too. */
const systems: readonly Ci[] = [
  {
    // https://docs.github.com/en/actions/reference/workflows-and-actions/variables; Gitea and Forgejo set them, too.
    name: "GitHub Actions",
    mark: ["GITHUB_ACTIONS", /^true$/],
    ref: "GITHUB_REF",
    sha: "GITHUB_SHA",
    base: "GITHUB_BASE_REF",
    schedule: ["GITHUB_EVENT_NAME", /^schedule$/],
  },
  {
    // GitLab's documentation: "Predefined CI/CD variables reference".
    name: "GitLab CI",
    mark: ["GITLAB_CI"],
    tag: "CI_COMMIT_TAG",
    branch: ["CI_COMMIT_BRANCH"],
    pullRequest: ["CI_MERGE_REQUEST_IID"],
    sha: "CI_COMMIT_SHA",
    base: "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
    defaultBranch: "CI_DEFAULT_BRANCH",
    schedule: ["CI_PIPELINE_SOURCE", /^schedule$/],
    committed: "CI_COMMIT_TIMESTAMP",
  },
  {
    // https://learn.microsoft.com/en-us/azure/devops/pipelines/build/variables
    name: "Azure Pipelines",
    mark: ["TF_BUILD"],
    ref: "BUILD_SOURCEBRANCH",
    pullRequest: ["SYSTEM_PULLREQUEST_PULLREQUESTNUMBER", "SYSTEM_PULLREQUEST_PULLREQUESTID"],
    sha: "BUILD_SOURCEVERSION",
    base: "SYSTEM_PULLREQUEST_TARGETBRANCH",
    schedule: ["BUILD_REASON", /^Schedule$/],
  },
  {
    // https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/
    name: "Bitbucket Pipelines",
    mark: ["BITBUCKET_BUILD_NUMBER"],
    tag: "BITBUCKET_TAG",
    branch: ["BITBUCKET_BRANCH"],
    pullRequest: ["BITBUCKET_PR_ID"],
    sha: "BITBUCKET_COMMIT",
    base: "BITBUCKET_PR_DESTINATION_BRANCH",
  },
  {
    // https://circleci.com/docs/reference/variables/
    name: "CircleCI",
    mark: ["CIRCLECI"],
    tag: "CIRCLE_TAG",
    branch: ["CIRCLE_BRANCH"],
    pullRequest: ["CIRCLE_PULL_REQUEST"],
    sha: "CIRCLE_SHA1",
  },
  {
    // https://docs.travis-ci.com/user/environment-variables/#default-environment-variables
    name: "Travis CI",
    mark: ["TRAVIS"],
    tag: "TRAVIS_TAG",
    branch: ["TRAVIS_BRANCH"],
    pullRequest: ["TRAVIS_PULL_REQUEST"],
    sha: "TRAVIS_COMMIT",
    base: "TRAVIS_BRANCH",
    schedule: ["TRAVIS_EVENT_TYPE", /^cron$/],
  },
  {
    // https://buildkite.com/docs/pipelines/configure/environment-variables
    name: "Buildkite",
    mark: ["BUILDKITE"],
    tag: "BUILDKITE_TAG",
    branch: ["BUILDKITE_BRANCH"],
    pullRequest: ["BUILDKITE_PULL_REQUEST"],
    sha: "BUILDKITE_COMMIT",
    base: "BUILDKITE_PULL_REQUEST_BASE_BRANCH",
    defaultBranch: "BUILDKITE_PIPELINE_DEFAULT_BRANCH",
    schedule: ["BUILDKITE_SOURCE", /^schedule$/],
  },
  {
    // https://woodpecker-ci.org/docs/usage/environment
    name: "Woodpecker",
    mark: ["CI", /^woodpecker$/],
    tag: "CI_COMMIT_TAG",
    branch: ["CI_COMMIT_BRANCH"],
    pullRequest: ["CI_COMMIT_PULL_REQUEST"],
    sha: "CI_COMMIT_SHA",
    base: "CI_COMMIT_TARGET_BRANCH",
    defaultBranch: "CI_REPO_DEFAULT_BRANCH",
    schedule: ["CI_PIPELINE_EVENT", /^cron$/],
  },
  {
    // https://docs.drone.io/pipeline/environment/reference/
    name: "Drone",
    mark: ["DRONE"],
    tag: "DRONE_TAG",
    branch: ["DRONE_BRANCH"],
    pullRequest: ["DRONE_PULL_REQUEST"],
    sha: "DRONE_COMMIT_SHA",
    base: "DRONE_TARGET_BRANCH",
    defaultBranch: "DRONE_REPO_BRANCH",
    schedule: ["DRONE_BUILD_EVENT", /^cron$/],
  },
  {
    // https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables and its Git and Branch API plugins
    name: "Jenkins",
    mark: ["JENKINS_URL"],
    tag: "TAG_NAME",
    branch: ["BRANCH_NAME", "GIT_BRANCH"],
    pullRequest: ["CHANGE_ID"],
    sha: "GIT_COMMIT",
    base: "CHANGE_TARGET",
  },
];

/** What the variables of a CI say of the build that runs; undefined where there is none that is known. */
export function ciContext(env: Variables): CiContext | undefined {
  const system = systems.find(
    ({ mark: [name, value] }) => (env[name] ?? "") !== "" && (value?.test(env[name]!) ?? true),
  );
  if (!system) return undefined;
  const read = (name: string | undefined): string | undefined =>
    name === undefined ? undefined : env[name] || undefined;
  const first = (names: readonly string[] = []): string | undefined =>
    names.map(read).find((value) => value !== undefined);
  const { name, schedule } = system;
  const pullRequest = /(?:^|\/)(\d+)$/.exec(first(system.pullRequest) ?? "")?.[1];
  const tag = read(system.tag);
  const branch = first(system.branch)?.replace(/^(?:refs\/(?:heads|remotes\/origin)\/|origin\/)/, "");
  const ref =
    pullRequest !== undefined
      ? `refs/pull/${pullRequest}/merge`
      : (read(system.ref) ?? (tag ? `refs/tags/${tag}` : branch && `refs/heads/${branch}`));
  const scheduled = schedule && schedule[1].test(env[schedule[0]] ?? "");
  const event = scheduled ? "schedule" : pullRequest === undefined ? "push" : "pull_request";
  const base = ref?.startsWith("refs/pull/") ? read(system.base)?.replace(/^refs\/heads\//, "") : undefined;
  const [sha, defaultBranch, committed] = [
    read(system.sha),
    read(system.defaultBranch),
    Date.parse(read(system.committed) ?? ""),
  ];
  return {
    ci: name,
    event: system.ref === "GITHUB_REF" ? (read("GITHUB_EVENT_NAME") ?? event) : event,
    ...(ref !== undefined && { ref }),
    ...(sha !== undefined && { sha }),
    ...(base !== undefined && { baseRef: base }),
    ...(defaultBranch !== undefined && { defaultBranch }),
    ...(!Number.isNaN(committed) && { committed }),
  };
}

/**
 * The same with what the file of GitHub's event says (GITHUB_EVENT_PATH): the default branch, the branch below a tag or pull request,
 * the pull request of `pull_request_target`, and when the commit was made. What is not as expected says nothing.
 */
export function withGithubEvent(context: CiContext, payload: unknown): CiContext {
  const event = fields(payload);
  const defaultBranch = text(fields(event["repository"])["default_branch"]);
  const head = fields(event["head_commit"]);
  const committed = head["id"] === context.sha ? Date.parse(text(head["timestamp"]) ?? "") : Number.NaN;
  const { number } = event;
  const isTarget = context.event === "pull_request_target" && typeof number === "number";
  const ref = isTarget ? `refs/pull/${number}/merge` : context.ref;
  const base = ref?.startsWith("refs/tags/")
    ? text(event["base_ref"])?.replace(/^refs\/heads\//, "")
    : text(fields(fields(event["pull_request"])["base"])["ref"]);
  return {
    ...context,
    ...(ref !== undefined && { ref }),
    ...(defaultBranch !== undefined && { defaultBranch }),
    ...(base !== undefined && { baseRef: base }),
    ...(!Number.isNaN(committed) && { committed }),
  };
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
const fields = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
