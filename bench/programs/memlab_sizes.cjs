// Retained sizes by memlab, one a line in the order of the nodes: node memlab_sizes.cjs SNAPSHOT OUT
const { getFullHeapFromFile } = require(`${process.cwd()}/node_modules/@memlab/heap-analysis`);
const fs = require("node:fs");

getFullHeapFromFile(process.argv[2]).then((heap) => {
  const sizes = [];
  heap.nodes.forEach((node) => sizes.push(node.retainedSize));
  fs.writeFileSync(process.argv[3], sizes.join("\n"));
});
