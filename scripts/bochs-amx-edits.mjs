// What Bochs 3.0 lacks to run Linux programs with AMX as a Sapphire Rapids does, for scripts/amx-machine.mjs.
// Intel's SDM has the rules: volume 1, 13.14 (XFD); volume 2, LDTILECFG, STTILECFG and VCVTNE2PS2BF16.

const XFD_CHECK = `  if (BX_CPU_THIS_PTR msr.ia32_xfd & (1 << 18)) {
    BX_CPU_THIS_PTR msr.ia32_xfd_err |= 1 << 18;
    exception(BX_NM_EXCEPTION, 0);
  }
`;
const TILE_INSTRUCTIONS = [
  'TILELOADD_TnnnMdq',
  'TILESTORED_MdqTnnn',
  'TILEZERO_Tnnn',
  'TDPBF16PS_TnnnTrmTreg',
  'TDPBSSD_TnnnTrmTreg',
];

/** In `file`, every `from` becomes `to`. */
export const AMX_EDITS = [
  // XFD: the kernel lets a thread have tiles only on their first use, and without XFD it does not offer them.
  ...TILE_INSTRUCTIONS.map((name) => {
    const head = `BX_CPU_C::${name}(bxInstruction_c *i)\n{\n`;
    return { file: 'cpu/avx/amx.cc', from: head, to: head + XFD_CHECK };
  }),
  { file: 'cpu/cpu.h', from: 'Bit64u ia32_xss;', to: 'Bit64u ia32_xss, ia32_xfd, ia32_xfd_err;' },
  {
    file: 'cpu/init.cc',
    from: 'BX_CPU_THIS_PTR msr.ia32_xss = 0;',
    to: 'BX_CPU_THIS_PTR msr.ia32_xss = BX_CPU_THIS_PTR msr.ia32_xfd = BX_CPU_THIS_PTR msr.ia32_xfd_err = 0;',
  },
  {
    file: 'cpu/cpuid.cc',
    from: 'leaf->eax |= (1<<3);\n\n    // EBX',
    to: 'leaf->eax |= (1<<3) | (1<<4);\n\n    // EBX',
  },
  {
    file: 'cpu/cpuid.cc',
    from: '(cpu->ia32_xss_suppmask & (1 << subfunction)) != 0;',
    to: '((cpu->ia32_xss_suppmask & (1 << subfunction)) != 0) | (subfunction == 18 ? 4 : 0);',
  },
  // The two registers of XFD, and MISC_ENABLE (0x1a0), whose bit 0 tells Linux that REP MOVSB is fast: it counts on that bit
  // where FSRM is set.
  {
    file: 'cpu/msr.cc',
    from: 'msr_desc[BX_MSR_XSS] =',
    to: `msr_desc[0x1a0] = new MSR_Descriptor("MISC_ENABLE", BX_ISA_AMX);
  msr_desc[BX_MSR_IA32_XFD] = new MSR_Descriptor("XFD", BX_ISA_AMX);
  msr_desc[BX_MSR_IA32_XFD_ERROR] = new MSR_Descriptor("XFD_ERR", BX_ISA_AMX);
  msr_desc[BX_MSR_XSS] =`,
  },
  {
    file: 'cpu/msr.cc',
    from: '    case BX_MSR_XSS:\n      if',
    to: `    case 0x1a0: val64 = 1; break;
    case BX_MSR_IA32_XFD: val64 = BX_CPU_THIS_PTR msr.ia32_xfd; break;
    case BX_MSR_IA32_XFD_ERROR: val64 = BX_CPU_THIS_PTR msr.ia32_xfd_err; break;
    case BX_MSR_XSS:\n      if`,
  },
  {
    file: 'cpu/msr.cc',
    from: '    case BX_MSR_XSS:\n      {',
    to: `    case 0x1a0: break;
    case BX_MSR_IA32_XFD: BX_CPU_THIS_PTR msr.ia32_xfd = val_64; break;
    case BX_MSR_IA32_XFD_ERROR: BX_CPU_THIS_PTR msr.ia32_xfd_err = val_64; break;
    case BX_MSR_XSS:\n      {`,
  },
  // With AMX enabled the mode has an eighth bit, which moves decoded instructions out of the 128 entries that are searched
  // when code is overwritten: Linux, which patches itself, then runs what it replaced.
  {
    file: 'cpu/icache.h',
    from: '    return ((pAddr) & (BxICacheEntries-1)) ^ fetchModeMask;',
    to: '    return ((pAddr) & (BxICacheEntries-1)) ^ ((fetchModeMask ^ (fetchModeMask >> 7)) & 127);',
  },
  // STTILECFG is VEX.W0, its bytes per row are words and its rows are bytes.
  {
    file: 'cpu/decoder/fetchdecode_opmap_avx.cc',
    from: 'ATTR_VEX_W1 | ATTR_VL128 | ATTR_MOD_MEM | ATTR_IS64, BX_IA_STTILECFG',
    to: 'ATTR_VEX_W0 | ATTR_VL128 | ATTR_MOD_MEM | ATTR_IS64, BX_IA_STTILECFG',
  },
  {
    file: 'cpu/xsave.cc',
    from: 'vmm16u(8+n)    = BX_CPU_THIS_PTR amx->tilecfg[n].rows;',
    to: 'vmm16u(8+n) = BX_CPU_THIS_PTR amx->tilecfg[n].bytes_per_row;',
  },
  {
    file: 'cpu/xsave.cc',
    from: 'vmmubyte(48+n) = BX_CPU_THIS_PTR amx->tilecfg[n].bytes_per_row;',
    to: 'vmmubyte(48+n) = BX_CPU_THIS_PTR amx->tilecfg[n].rows;',
  },
  // Tiles have 16 rows, all of which a switch of threads has to keep.
  { file: 'cpu/xsave.cc', from: 'row < BX_TILE_REGISTERS', to: 'row < BX_TILE_MAX_ROWS' },
  {
    file: 'cpu/xsave.cc',
    from: '(BX_CPU_THIS_PTR amx->tile_use_tracker == 0)',
    to: 'BX_CPU_THIS_PTR amx->tiles_configured()',
  },
  // The upper half of VCVTNE2PS2BF16 comes from element 0 of its operand on.
  {
    file: 'cpu/avx/avx512_bf16.cc',
    from: 'convert_ne_fp32_to_bfloat16(op1.vmm32u(n));',
    to: 'convert_ne_fp32_to_bfloat16(op1.vmm32u(n - DWORD_ELEMENTS(len)));',
  },
];
