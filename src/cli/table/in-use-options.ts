import { values, type Option } from "../option.ts";

const heading = "Images in use:";

export const inUse: Option<readonly string[]> = values(
  "--in-use <file>",
  "never delete what it names: a reference a line, or what kubectl get -o json wrote; repeat for more",
  String,
  { completes: "file", heading, setting: "inUse.files" },
);
export const inUseKubernetes: Option<readonly string[]> = values(
  "--in-use-kubernetes <context>",
  "never delete what this cluster runs, or may go back to: a context of the kubeconfig, or current; repeat for more",
  String,
  { heading, setting: "inUse.kubernetes" },
);
export const inUseNamespaces: Option<readonly string[]> = values(
  "--in-use-namespace <name>",
  "of those clusters, this namespace alone: what runs in others is not looked at; repeat for more",
  String,
  { heading, setting: "inUse.namespaces" },
);
export const inUseCompose: Option<readonly string[]> = values(
  "--in-use-compose <file>",
  "never delete what the services of this Compose file use; repeat for more",
  String,
  { completes: "file", heading, setting: "inUse.compose" },
);
/** What commands take that delete. */
export const inUseOptions: readonly Option[] = [inUse, inUseKubernetes, inUseNamespaces, inUseCompose];
