/**
 * Makes Azurite find a row by its row key, then look at its partition.
 *
 * It has an index of both keys and asks the one of partitions first, so that each row that is read or written by its
 * keys takes a look at all rows of its partition. With this, a hundred thousand members are written in minutes.
 */

import { createRequire } from "node:module";
import { argv } from "node:process";

const { Collection } = createRequire(argv[1])("lokijs");
const { findOne } = Collection.prototype;

Collection.prototype.findOne = function findRowKeyFirst({ RowKey, ...others }) {
  return findOne.call(this, RowKey === undefined ? others : { RowKey, ...others });
};
