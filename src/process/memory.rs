//! The memory that starting has taken.

use std::ffi::{c_int, c_void};

use nix::libc;
use nix::unistd::{SysconfVar, sysconf};

/// Gives back what starting has touched of our code and constants, and what reading the command line has left of the
/// heap: who only waits needs little of it, and what is needed again comes from the page cache. What the linker has
/// written to is kept.
pub fn release_start() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim(3) gives back pages of the heap that are in no use, and is safe with threads.
    unsafe {
        libc::malloc_trim(0)
    };
    // SAFETY: `release` fits what is called, and makes no use of the data pointer.
    unsafe { libc::dl_iterate_phdr(Some(release), std::ptr::null_mut()) };
}

/// Releases the segments of the first object, which is the program (dl_iterate_phdr(3)), and goes no further.
unsafe extern "C" fn release(info: *mut libc::dl_phdr_info, _size: usize, _data: *mut c_void) -> c_int {
    // SAFETY: the C library passes a valid description that outlives this call, and its headers likewise.
    let (base, headers) = unsafe {
        let info = &*info;
        (info.dlpi_addr, std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)))
    };
    let Ok(Some(page)) = sysconf(SysconfVar::PAGE_SIZE) else { return 1 };
    for header in headers {
        if header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W == 0 {
            let first = (base + header.p_vaddr) as usize;
            let start = first & !(page as usize - 1);
            let length = first + header.p_memsz as usize - start;
            // SAFETY: private pages of a file that nobody has written to: they are read again when they are used.
            unsafe { libc::madvise(start as *mut c_void, length, libc::MADV_DONTNEED) };
        }
    }
    1
}
