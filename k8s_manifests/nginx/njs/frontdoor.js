// The one module nginx imports: it names every function that the configuration uses. Functions that nginx calls are
// written like nginx's variables (snake_case); functions that only modules call are in camelCase.

import cache_clock from './cache_clock.js';
import cache_disk from './cache_disk.js';
import credential from './credential.js';
import ecr_upstream from './ecr_upstream.js';
import gone_files from './gone_files.js';
import hints from './hints.js';
import image_state from './image_state.js';
import large_pulls from './large_pulls.js';
import layer_upstream from './layer_upstream.js';
import list_pages from './list_pages.js';
import metrics from './metrics.js';
import page_files from './page_files.js';
import probes from './probes.js';
import read_ahead from './read_ahead.js';
import request_counts from './request_counts.js';
import response_headers from './response_headers.js';
import scrub_blobs from './scrub_blobs.js';
import scrub_contents from './scrub_contents.js';
import scrub_sizes from './scrub_sizes.js';
import startup from './startup.js';
import status from './status.js';
import tag_hits from './tag_hits.js';

export default {
    ask_for_image: image_state.ask_for_image,
    ask_for_images: image_state.ask_for_images,
    authorization: credential.authorization,
    cache_disk_failed: cache_disk.cache_disk_failed,
    ecr_upstream: ecr_upstream.ecr_upstream,
    answer_of_check: response_headers.answer_of_check,
    answer_of_ecr: response_headers.answer_of_ecr,
    answer_of_s3: response_headers.answer_of_s3,
    count_request: request_counts.count_request,
    fold_tag_hits: tag_hits.fold_tag_hits,
    free_memory: large_pulls.free_memory,
    hold_memory: large_pulls.hold_memory,
    image_state: image_state.image_state,
    is_too_slow: large_pulls.is_too_slow,
    metrics: metrics.metrics,
    needed_mib: large_pulls.needed_mib,
    note_cut_layer: layer_upstream.note_cut_layer,
    other_region: layer_upstream.other_region,
    page_etag: page_files.page_etag,
    page_is_known: page_files.page_is_known,
    read_ahead: read_ahead.read_ahead,
    reader_left: read_ahead.reader_left,
    probe_cache_disk: cache_disk.probe_cache_disk,
    read_hints: hints.read_hints,
    referrers_page: list_pages.referrers_page,
    remove_gone_files: gone_files.remove_gone_files,
    retry_after_seconds: ecr_upstream.retry_after_seconds,
    s3_is_shut: layer_upstream.s3_is_shut,
    scrub_blob: scrub_blobs.scrub_blob,
    scrub_blobs: scrub_blobs.scrub_blobs,
    scrub_contents: scrub_contents.scrub_contents,
    scrub_sizes: scrub_sizes.scrub_sizes,
    send_probes: probes.send_probes,
    start_probes: probes.start_probes,
    startup: startup.startup,
    status: status.status,
    wait_for_memory: large_pulls.wait_for_memory,
    wake_cache_manager: cache_clock.wake_cache_manager,
};
