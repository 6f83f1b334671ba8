// Signing in with an account at a provider: a real one on loopback (oidc-provider), set up as docs/security.md says, from nothing to
// signed in and out again.
//
//   CATAT_EXECUTABLE  the catat to be started, on a directory of its own (required)
//   CATAT_PICTURES    a directory for pictures of every state (optional)
//   CATAT_CHROMIUM    the browser, the first of `page/launch.mjs` that is installed if not given
//   CATAT_CHECKS      only checks whose name holds this text (optional)

import { runChecks } from "./page/run.mjs";
import { prepareAccounts, signInChecks, startWithProvider } from "./page/sign_in.mjs";

const { server, provider, stop } = await startWithProvider();
await runChecks(server.url, signInChecks(provider), { prepare: (own) => prepareAccounts(own, server.adminKey()), finish: stop });
