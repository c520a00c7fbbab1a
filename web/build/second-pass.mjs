// The second pass over the bundles: reads {"name": "code"} from standard input
// and writes the same with code that terser has made smaller. esbuild has shaken
// the tree and joined the modules; terser folds functions and conditions further.

import { minify } from "terser";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const bundles = JSON.parse(Buffer.concat(chunks).toString());

const options = {
  ecma: 2022,
  compress: { passes: 2, unsafe_arrows: true, keep_fargs: false },
  mangle: true,
  format: { comments: false },
};

for (const [name, code] of Object.entries(bundles)) bundles[name] = (await minify(code, options)).code;
process.stdout.write(JSON.stringify(bundles));
