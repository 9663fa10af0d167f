
'use strict';

// The data of the page: entries by number, each directory before its entries, and for each entry the sums of everything below it.
class Model {
    static FILE = -1;
    static FOLD = -2;
    static TOP = 0;

    constructor(data) {
        const count = data.kinds.length;
        this.created = data.created;
        this.failed = data.failed;
        this.failures = data.failures;
        this.kinds = data.kinds;
        this.names = data.names.split('/');
        this.parent = new Int32Array(count).fill(-1);
        this.end = new Int32Array(count);
        this.link();
        this.children(Model.TOP).forEach((entry, i) => { this.names[entry] = data.paths[i]; });
        for (const column of ['files', 'length', 'shared', 'inline', 'data', 'extents', 'alone', 'inside']) {
            this[column] = this.sum(data[column]);
        }

        for (const column of ['free', 'outside', 'disk', 'exclusive']) {
            this[column] = new Float64Array(count);
        }

        for (let entry = 0; entry < count; entry++) {
            this.free[entry] = this.alone[entry] + this.inside[entry];
            this.outside[entry] = this.data[entry] - this.free[entry];
            this.disk[entry] = this.data[entry] + this.inline[entry];
            this.exclusive[entry] = this.length[entry] - this.shared[entry];
        }

        this.tops = data.tops;
        this.pairs = data.pairs;
        const given = this.children(Model.TOP);
        this.home = given.length === 1 ? given[0] : Model.TOP;
    }

    // The data is compressed with gzip and base64-encoded.
    static async read(text) {
        const binary = atob(text.trim());
        const bytes = new Uint8Array(binary.length);
        for (let i = 0; i < bytes.length; i++) {
            bytes[i] = binary.charCodeAt(i);
        }

        const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
        return new Model(await new Response(stream).json());
    }

    link() {
        const open = [];
        const left = [];
        const close = entry => {
            this.end[open.pop()] = entry;
            left.pop();
        };
        for (let entry = 0; entry < this.kinds.length; entry++) {
            while (left.length > 0 && left[left.length - 1] === 0) {
                close(entry);
            }

            if (open.length > 0) {
                this.parent[entry] = open[open.length - 1];
                left[left.length - 1]--;
            }

            this.end[entry] = entry + 1;
            if (this.kinds[entry] >= 0) {
                open.push(entry);
                left.push(this.kinds[entry]);
            }
        }

        while (open.length > 0) {
            close(this.kinds.length);
        }
    }

    sum(own) {
        const sums = new Float64Array(own);
        for (let entry = sums.length - 1; entry > 0; entry--) {
            sums[this.parent[entry]] += sums[entry];
        }

        return sums;
    }

    isDirectory(entry) {
        return this.kinds[entry] >= 0;
    }

    children(entry) {
        const found = [];
        for (let child = entry + 1; child < this.end[entry]; child = this.end[child]) {
            found.push(child);
        }

        return found;
    }

    name(entry) {
        return this.kinds[entry] === Model.FOLD ? `${this.files[entry].toLocaleString('en')} small files`
            : entry === Model.TOP ? 'All directories'
            : this.names[entry];
    }

    // The entries on the path from home down to one.
    way(entry) {
        const way = [];
        for (; entry !== -1; entry = this.parent[entry]) {
            way.push(entry);
            if (entry === this.home) {
                break;
            }
        }

        return way.reverse();
    }

    path(entry) {
        return this.way(entry).filter(one => one !== Model.TOP).map(one => this.name(one)).join('/').replace(/^\/\//, '/');
    }

    search(text) {
        const wanted = text.toLowerCase();
        this.lower ??= this.names.map(name => name.toLowerCase());
        const found = [];
        for (let entry = 1; entry < this.kinds.length; entry++) {
            if (this.kinds[entry] !== Model.FOLD && this.lower[entry].includes(wanted)) {
                found.push(entry);
            }
        }

        return found;
    }

    // The directory in the address, or its nearest existing parent.
    find(hash) {
        let at = this.home;
        for (const part of hash.replace(/^#\/?/, '').split('/').filter(part => part !== '')) {
            let name;
            try {
                name = decodeURIComponent(part);
            } catch {
                return at;
            }

            const next = this.children(at).find(child => this.isDirectory(child) && this.names[child] === name);
            if (next === undefined) {
                return at;
            }

            at = next;
        }

        return at;
    }

    hash(entry) {
        return '#/' + this.way(entry).slice(1).map(one => encodeURIComponent(this.names[one])).join('/');
    }
}
