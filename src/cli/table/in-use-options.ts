import { values, type Option } from "../option.ts";

const heading = "Images in use:";

export const inUse: Option<readonly string[]> = values(
  "--in-use <file>",
  "never delete what it names: a reference a line, or what kubectl get -o json wrote; repeat for more",
  String,
  { completes: "file", heading },
);
export const inUseKubernetes: Option<readonly string[]> = values(
  "--in-use-kubernetes <context>",
  "never delete what this cluster runs, or may go back to: a context of the kubeconfig, or current; repeat for more",
  String,
  { heading },
);
export const inUseCompose: Option<readonly string[]> = values(
  "--in-use-compose <file>",
  "never delete what the services of this Compose file use; repeat for more",
  String,
  { completes: "file", heading },
);
/** What commands take that delete. */
export const inUseOptions: readonly Option[] = [inUse, inUseKubernetes, inUseCompose];
