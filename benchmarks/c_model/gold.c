// Origin: written for measurements of Hebbar's speed, as a second implementation that nothing of Hebbar's own code is in.
// Batch-1 PC golden trainers: float32 and bit-exact fixed point. Song convention.
// Layer-1 weights stored [n0][n1] (sparse-input axpy); upper layers [n_out][n_in].
#include <stdint.h>
#include <string.h>
#include <math.h>
#include <stdlib.h>
#include <immintrin.h>
#define ML 5
#define MN 1024
typedef int16_t i16; typedef int32_t i32; typedef int64_t i64;
#define AL __attribute__((aligned(64)))

// ---------------------------------------------------------------- float
static inline void act_f(int act,const float*x,float*a,float*fp,int n){
  if(act==0){ for(int i=0;i<n;i++){float t=tanhf(x[i]);a[i]=t;fp[i]=1.f-t*t;} }
  else if(act==1){ for(int i=0;i<n;i++){a[i]=x[i]>0?x[i]:0;fp[i]=x[i]>0?1.f:0.f;} }
  else if(act==2){ for(int i=0;i<n;i++){float v=x[i]; float c=v>1?1.f:(v<-1?-1.f:v);a[i]=c;fp[i]=(c==v)?1.f:0.f;} }
  else { for(int i=0;i<n;i++){float v=x[i];a[i]=v>0?v:0.125f*v;fp[i]=v>0?1.f:0.125f;} }
}
static inline void fwd1(const float*restrict W,int n1,const int*idx,const float*restrict val,int nnz,float*restrict mu){
  for(int i=0;i<n1;i++)mu[i]=0;
  int k=0;
  for(;k+4<=nnz;k+=4){
    const float*w0=W+(i64)idx[k]*n1,*w1=W+(i64)idx[k+1]*n1,*w2=W+(i64)idx[k+2]*n1,*w3=W+(i64)idx[k+3]*n1;
    float a=val[k],b=val[k+1],c=val[k+2],d=val[k+3];
    for(int i=0;i<n1;i++)mu[i]+=a*w0[i]+b*w1[i]+c*w2[i]+d*w3[i];
  }
  for(;k<nnz;k++){const float*w=W+(i64)idx[k]*n1;float v=val[k];for(int i=0;i<n1;i++)mu[i]+=v*w[i];}
}
static inline void upd1(float*restrict W,int n1,const int*idx,const float*restrict val,int nnz,const float*restrict e,float al){
  for(int k=0;k<nnz;k++){float*w=W+(i64)idx[k]*n1;float v=al*val[k];for(int i=0;i<n1;i++)w[i]+=v*e[i];}
}
static inline void fwdU(const float*restrict W,int no,int ni,const float*restrict a,float*restrict mu){
  for(int o=0;o<no;o++){const float*w=W+(i64)o*ni;float s=0;for(int i=0;i<ni;i++)s+=w[i]*a[i];mu[o]=s;}
}
static inline void trnU(const float*restrict W,int no,int ni,const float*restrict e,float*restrict b){
  for(int i=0;i<ni;i++)b[i]=0;
  int o=0;
  for(;o+2<=no;o+=2){const float*w=W+(i64)o*ni,*v=w+ni;float p=e[o],q=e[o+1];for(int i=0;i<ni;i++)b[i]+=p*w[i]+q*v[i];}
  for(;o<no;o++){const float*w=W+(i64)o*ni;float p=e[o];for(int i=0;i<ni;i++)b[i]+=p*w[i];}
}
static inline void updU(float*restrict W,int no,int ni,const float*restrict e,const float*restrict a,float al){
  for(int o=0;o<no;o++){float*w=W+(i64)o*ni;float v=al*e[o];for(int i=0;i<ni;i++)w[i]+=v*a[i];}
}
// algo 0 IL 1 iPC(hoisted layer 1) 2 Z-IL/BP 3 iPC literal.  stats[0]=steps run
void train_f(int algo,int act,int L,const int*n,float**W,const int*ptr,const int*idx,const float*val,
             const uint8_t*y,const int*order,int N,int T,float gamma,const float*alpha,float hi,float lo,
             float thr,double*stats){
  static __thread float x[ML][MN] AL,a[ML][MN] AL,fp[ML][MN] AL,mu[ML][MN] AL,e[ML][MN] AL,b[MN] AL,E1[MN] AL;
  int nL=n[L];
  for(int s=0;s<N;s++){
    int m=order[s]; const int*ix=idx+ptr[m];const float*vl=val+ptr[m];int nz=ptr[m+1]-ptr[m];
    fwd1(W[1],n[1],ix,vl,nz,mu[1]);
    for(int l=1;l<L;l++){ memcpy(x[l],mu[l],4*n[l]); act_f(act,x[l],a[l],fp[l],n[l]); fwdU(W[l+1],n[l+1],n[l],a[l],mu[l+1]); }
    for(int i=0;i<nL;i++)x[L][i]=lo; x[L][y[m]]=hi;
    for(int i=0;i<nL;i++)e[L][i]=x[L][i]-mu[L][i];
    if(algo==2){
      for(int l=L-1;l>=1;l--){ trnU(W[l+1],n[l+1],n[l],e[l+1],b); for(int i=0;i<n[l];i++)e[l][i]=fp[l][i]*b[i]; }
      for(int l=2;l<=L;l++)updU(W[l],n[l],n[l-1],e[l],a[l-1],alpha[l]);
      upd1(W[1],n[1],ix,vl,nz,e[1],alpha[1]); stats[0]+=L; continue;
    }
    for(int l=1;l<L;l++)memset(e[l],0,4*n[l]);
    float Ep=0; for(int i=0;i<nL;i++)Ep+=e[L][i]*e[L][i];
    float x2=0; if(algo==1){for(int k=0;k<nz;k++)x2+=vl[k]*vl[k]; x2*=alpha[1]; memset(E1,0,4*n[1]);}
    for(int t=0;t<T;t++){
      for(int l=1;l<L;l++){
        trnU(W[l+1],n[l+1],n[l],e[l+1],b);
        float*xx=x[l],*ee=e[l],*ff=fp[l];
        for(int i=0;i<n[l];i++)xx[i]+=gamma*(ff[i]*b[i]-ee[i]);
      }
      if(algo!=0){
        for(int l=2;l<=L;l++)updU(W[l],n[l],n[l-1],e[l],a[l-1],alpha[l]);
        if(algo==1){ for(int i=0;i<n[1];i++){E1[i]+=e[1][i];mu[1][i]+=x2*e[1][i];} }
        else { upd1(W[1],n[1],ix,vl,nz,e[1],alpha[1]); fwd1(W[1],n[1],ix,vl,nz,mu[1]); }
      }
      stats[0]+=1;
      if(algo!=0 && t==T-1)break;
      for(int l=1;l<L;l++){ act_f(act,x[l],a[l],fp[l],n[l]); fwdU(W[l+1],n[l+1],n[l],a[l],mu[l+1]); }
      float En=0;
      for(int l=1;l<=L;l++)for(int i=0;i<n[l];i++){float d=x[l][i]-mu[l][i];e[l][i]=d;En+=d*d;}
      if(thr>0){ if(Ep-En<thr)break; Ep=En; }
    }
    if(algo==0){ for(int l=2;l<=L;l++)updU(W[l],n[l],n[l-1],e[l],a[l-1],alpha[l]); upd1(W[1],n[1],ix,vl,nz,e[1],alpha[1]); }
    else if(algo==1) upd1(W[1],n[1],ix,vl,nz,E1,alpha[1]);
  }
}
int eval_f(int act,int L,const int*n,float**W,const int*ptr,const int*idx,const float*val,const uint8_t*y,int N){
  static __thread float mu[MN] AL,a[MN] AL,fp[MN] AL; int ok=0;
  for(int m=0;m<N;m++){
    fwd1(W[1],n[1],idx+ptr[m],val+ptr[m],ptr[m+1]-ptr[m],mu);
    for(int l=1;l<L;l++){act_f(act,mu,a,fp,n[l]);fwdU(W[l+1],n[l+1],n[l],a,mu);}
    int b=0;for(int i=1;i<n[L];i++)if(mu[i]>mu[b])b=i; ok+=(b==y[m]);
  } return ok;
}

// ---------------------------------------------------------------- fixed point
// formats: W: WF frac, WB bits; x,e,back: XF frac, XB bits; a: AF frac; a0: A0F frac; f': 7 frac.
// rounding everywhere: half up = (v + (1<<(s-1))) >> s (arithmetic).  mode: 0 RN, 1 SR on weights, 2 floor on weights
// top8: 1 -> MVMs use sat8(rs(W,7)) i.e. Q1.6 of the stored Q2.13
typedef struct { i32 L,WF,WB,XF,XB,AF,A0F,g,mode,top8,T,fast,hi,lo,g2,EB; i32 lr[8]; i32 thr; } Cfg;
static inline i64 rs(i64 v,int s){ return s>0 ? (v+((i64)1<<(s-1)))>>s : v<<(-s); }
static inline i32 rs32(i32 v,int s){ return s>0 ? (v+(1<<(s-1)))>>s : v<<(-s); }
static inline i64 sat(i64 v,int b){ i64 h=((i64)1<<(b-1))-1; return v>h?h:(v<-h-1?-h-1:v); }
static inline i32 sat32(i32 v,int b){ i32 h=(1<<(b-1))-1; return v>h?h:(v<-h-1?-h-1:v); }
static uint32_t rng[16]; static int rngp;
void seed_rng(uint32_t s){ for(int i=0;i<16;i++){s=s*1664525u+1013904223u;rng[i]=s|1;} }
static inline i32 wmv(i16 w,int top8){ return top8? sat32(rs32(w,7),8)<<7 : w; }

// ---- reference (slow, int64 accumulators)
static void fwd1_ref(const Cfg*c,const i16*W,int n1,const int*idx,const i16*val,int nz,i16*mu){
  i64 acc[MN]; for(int i=0;i<n1;i++)acc[i]=0;
  for(int k=0;k<nz;k++){const i16*w=W+(i64)idx[k]*n1;for(int i=0;i<n1;i++)acc[i]+=wmv(w[i],c->top8)*(i32)val[k];}
  for(int i=0;i<n1;i++)mu[i]=sat(rs(acc[i],c->WF+c->A0F-c->XF),c->XB);
}
static void fwdU_ref(const Cfg*c,const i16*W,int no,int ni,const i16*a,i16*mu){
  for(int o=0;o<no;o++){i64 s=0;for(int i=0;i<ni;i++)s+=wmv(W[(i64)o*ni+i],c->top8)*(i32)a[i];mu[o]=sat(rs(s,c->WF+c->AF-c->XF),c->XB);}
}
static void trnU_ref(const Cfg*c,const i16*W,int no,int ni,const i16*e,i16*b){
  i64 acc[MN]; for(int i=0;i<ni;i++)acc[i]=0;
  for(int o=0;o<no;o++)for(int i=0;i<ni;i++)acc[i]+=wmv(W[(i64)o*ni+i],c->top8)*(i32)e[o];
  for(int i=0;i<ni;i++)b[i]=sat(rs(acc[i],c->WF),c->XB);
}
static inline void updrow_ref(const Cfg*c,i16*w,int n,const i16*v,i32 k,int s){
  if(c->mode==1){ __m512i r=_mm512_loadu_si512(rng),mk=_mm512_set1_epi32(s>0?(1u<<s)-1:0),kk=_mm512_set1_epi32(k),hi=_mm512_set1_epi32((1<<(c->WB-1))-1),lo=_mm512_set1_epi32(-(1<<(c->WB-1)));
    for(int i=0;i<n;i+=16){ r=_mm512_xor_si512(r,_mm512_slli_epi32(r,13)); r=_mm512_xor_si512(r,_mm512_srli_epi32(r,17)); r=_mm512_xor_si512(r,_mm512_slli_epi32(r,5));
      __m512i q=_mm512_mullo_epi32(_mm512_cvtepi16_epi32(_mm256_loadu_si256((void*)(v+i))),kk);
      q=_mm512_sra_epi32(_mm512_add_epi32(q,_mm512_and_si512(r,mk)),_mm_cvtsi32_si128(s));
      q=_mm512_add_epi32(q,_mm512_cvtepi16_epi32(_mm256_loadu_si256((void*)(w+i))));
      q=_mm512_max_epi32(_mm512_min_epi32(q,hi),lo); _mm256_storeu_si256((void*)(w+i),_mm512_cvtepi32_epi16(q)); }
    _mm512_storeu_si512(rng,r); }
  else if(c->mode==2){ for(int i=0;i<n;i++){i32 p=(i32)v[i]*k; w[i]=sat32(w[i]+(s>0?p>>s:p<<(-s)),c->WB);} }
  else { i32 h=s>0?1<<(s-1):0; for(int i=0;i<n;i++){i32 p=(i32)v[i]*k; i32 q=s>0?(p+h)>>s:p<<(-s); w[i]=sat32(w[i]+q,c->WB);} }
}
// ---- fast (AVX-512 VNNI); requires n multiple of 32, XB/WB sat by min/max
static i64 slowcount=0; i64 get_slow(void){return slowcount;}
static inline __m512i clampv(__m512i v,int b){ if(b>=16)return v; i16 h=(1<<(b-1))-1; return _mm512_max_epi16(_mm512_min_epi16(v,_mm512_set1_epi16(h)),_mm512_set1_epi16(-h-1)); }
static inline void fwd1_fast(const Cfg*c,const i16*W,int n1,const int*idx,const i16*val,int nz,i16*mu){
  i32 sv=0;for(int k=0;k<nz;k++)sv+=val[k]; if(sv>65000){slowcount++;fwd1_ref(c,W,n1,idx,val,nz,mu);return;} // int32 proof: sum a * 2^15 < 2^31
  int s=c->WF+c->A0F-c->XF; __m512i h=_mm512_set1_epi32(1<<(s-1));
  for(int i=0;i<n1;i+=64){
    int two=(i+32<n1);
    __m512i l0=_mm512_setzero_si512(),h0=l0,l1=l0,h1=l0;
    for(int k=0;k<nz;k+=2){
      const i16*p=W+(i64)idx[k]*n1+i; const i16*q=(k+1<nz)?W+(i64)idx[k+1]*n1+i:p; i32 vq=(k+1<nz)?val[k+1]:0;
      __m512i av=_mm512_set1_epi32(((i32)val[k]&0xffff)|(vq<<16));
      __m512i P=_mm512_loadu_si512(p),Q=_mm512_loadu_si512(q);
      l0=_mm512_dpwssd_epi32(l0,_mm512_unpacklo_epi16(P,Q),av); h0=_mm512_dpwssd_epi32(h0,_mm512_unpackhi_epi16(P,Q),av);
      if(two){P=_mm512_loadu_si512(p+32);Q=_mm512_loadu_si512(q+32);
      l1=_mm512_dpwssd_epi32(l1,_mm512_unpacklo_epi16(P,Q),av); h1=_mm512_dpwssd_epi32(h1,_mm512_unpackhi_epi16(P,Q),av);}
    }
    _mm512_storeu_si512(mu+i,clampv(_mm512_packs_epi32(_mm512_srai_epi32(_mm512_add_epi32(l0,h),s),_mm512_srai_epi32(_mm512_add_epi32(h0,h),s)),c->XB));
    if(two)_mm512_storeu_si512(mu+i+32,clampv(_mm512_packs_epi32(_mm512_srai_epi32(_mm512_add_epi32(l1,h),s),_mm512_srai_epi32(_mm512_add_epi32(h1,h),s)),c->XB));
  }
}
static inline void fwdU_fast(const Cfg*c,const i16*W,int no,int ni,const i16*a,i16*mu){
  int s=c->WF+c->AF-c->XF;
  for(int o=0;o<no;o++){ const i16*w=W+(i64)o*ni; __m512i acc=_mm512_setzero_si512();
    for(int i=0;i<ni;i+=32)acc=_mm512_dpwssd_epi32(acc,_mm512_loadu_si512(w+i),_mm512_loadu_si512(a+i));
    i32 v=_mm512_reduce_add_epi32(acc); mu[o]=sat32(rs32(v,s),c->XB); }
}
static inline void trnU_fast(const Cfg*c,const i16*W,int no,int ni,const i16*e,i16*b){
  i32 sa=0; for(int o=0;o<no;o++)sa+=e[o]<0?-e[o]:e[o];
  if(sa>65000){slowcount++;trnU_ref(c,W,no,ni,e,b);return;}   // proof that int32 cannot overflow: sum|e|*2^15 < 2^31
  int s=c->WF; __m512i h=_mm512_set1_epi32(1<<(s-1));
  for(int i=0;i<ni;i+=32){ __m512i l0=_mm512_setzero_si512(),h0=l0;
    for(int o=0;o<no;o+=2){ const i16*p=W+(i64)o*ni+i; const i16*q=(o+1<no)?p+ni:p; i32 eq=(o+1<no)?e[o+1]:0;
      __m512i ev=_mm512_set1_epi32(((i32)e[o]&0xffff)|(eq<<16)); __m512i P=_mm512_loadu_si512(p),Q=_mm512_loadu_si512(q);
      l0=_mm512_dpwssd_epi32(l0,_mm512_unpacklo_epi16(P,Q),ev); h0=_mm512_dpwssd_epi32(h0,_mm512_unpackhi_epi16(P,Q),ev); }
    _mm512_storeu_si512(b+i,clampv(_mm512_packs_epi32(_mm512_srai_epi32(_mm512_add_epi32(l0,h),s),_mm512_srai_epi32(_mm512_add_epi32(h0,h),s)),c->XB)); }
}
// one weight row w[0..n) += rs(v*k, s); v int16, k int16.
static inline void updrow_fast(const Cfg*c,i16*w,int n,const i16*v,i32 k,int s,int kisact){
  // put the shift on the 8-bit factor if it is the scalar; caller passes pre-shifted v otherwise
  __m512i kk=_mm512_set1_epi16((i16)k);
  if(c->WB>=16) for(int i=0;i<n;i+=32)_mm512_storeu_si512(w+i,_mm512_adds_epi16(_mm512_loadu_si512(w+i),_mm512_mulhrs_epi16(_mm512_loadu_si512(v+i),kk)));
  else for(int i=0;i<n;i+=32)_mm512_storeu_si512(w+i,clampv(_mm512_adds_epi16(_mm512_loadu_si512(w+i),_mm512_mulhrs_epi16(_mm512_loadu_si512(v+i),kk)),c->WB));
}
#define FW1(...) (fast?fwd1_fast(__VA_ARGS__):fwd1_ref(__VA_ARGS__))
#define FWU(...) (fast?fwdU_fast(__VA_ARGS__):fwdU_ref(__VA_ARGS__))
#define TRU(...) (fast?trnU_fast(__VA_ARGS__):trnU_ref(__VA_ARGS__))
static void upd1_i(const Cfg*c,i16*W,int n1,const int*idx,const i16*val,int nz,const i16*e,int fast){
  int s=c->XF+c->A0F-c->WF+c->lr[1];
  if(fast&&c->mode==0&&s<=15&&s>=7){ for(int k=0;k<nz;k++)updrow_fast(c,W+(i64)idx[k]*n1,n1,e,(i32)val[k]<<(15-s),s,1); }
  else for(int k=0;k<nz;k++)updrow_ref(c,W+(i64)idx[k]*n1,n1,e,val[k],s);
}
static void updU_i(const Cfg*c,i16*W,int no,int ni,const i16*e,const i16*a,int lr,int fast){
  int s=c->XF+c->AF-c->WF+lr; static i16 as[MN] AL;
  if(fast&&c->mode==0&&s<=15&&s>=7){ for(int i=0;i<ni;i++)as[i]=a[i]<<(15-s); for(int o=0;o<no;o++)if(e[o])updrow_fast(c,W+(i64)o*ni,ni,as,e[o],s,0); }
  else for(int o=0;o<no;o++)updrow_ref(c,W+(i64)o*ni,ni,a,e[o],s);
}
static inline void act_i(const Cfg*c,const i32*tab,const i16*x,i16*a,i16*fp,int n){ // table index = x rounded to Q3.8, entry = f | f'<<16
  int s=c->XF-8; i32 h=s>0?1<<(s-1):0;
  for(int i=0;i<n;i++){ i32 q=(x[i]+h)>>s; q=q>2047?2047:q; q=q<-2048?-2048:q; i32 v=tab[q+2048]; a[i]=(i16)v; fp[i]=(i16)(v>>16); }
}
// algo 0 IL 1 iPC hoisted 2 Z-IL/BP 3 iPC literal
void train_i(const Cfg*c,int algo,const i32*tab,const int*n,i16**W,const int*ptr,const int*idx,const i16*val,
             const uint8_t*y,const int*order,int N,double*stats){
  static i16 x[ML][MN] AL,a[ML][MN] AL,fp[ML][MN] AL,mu[ML][MN] AL,e[ML][MN] AL,b[MN] AL; static i32 E1[MN] AL; static i16 Es[MN] AL;
  int L=c->L,nL=n[L],fast=c->fast&&!c->top8,T=c->T,XB=c->XB,EB=c->EB;
  memset(a,0,sizeof a);memset(e,0,sizeof e);memset(x,0,sizeof x);memset(mu,0,sizeof mu);
  for(int s=0;s<N;s++){
    int m=order[s]; const int*ix=idx+ptr[m];const i16*vl=val+ptr[m];int nz=ptr[m+1]-ptr[m];
    FW1(c,W[1],n[1],ix,vl,nz,mu[1]);
    for(int l=1;l<L;l++){ memcpy(x[l],mu[l],2*n[l]); act_i(c,tab,x[l],a[l],fp[l],n[l]); FWU(c,W[l+1],n[l+1],n[l],a[l],mu[l+1]); }
    for(int i=0;i<nL;i++)x[L][i]=c->lo; x[L][y[m]]=c->hi;
    for(int i=0;i<nL;i++)e[L][i]=sat32(x[L][i]-mu[L][i],EB);
    if(algo==2){
      for(int l=L-1;l>=1;l--){ TRU(c,W[l+1],n[l+1],n[l],e[l+1],b); for(int i=0;i<n[l];i++)e[l][i]=sat32((fp[l][i]*b[i]+64)>>7,EB); }
      for(int l=2;l<=L;l++)updU_i(c,W[l],n[l],n[l-1],e[l],a[l-1],c->lr[l],fast);
      upd1_i(c,W[1],n[1],ix,vl,nz,e[1],fast); stats[0]+=L; continue;
    }
    for(int l=1;l<L;l++)memset(e[l],0,2*n[l]);
    i64 Ep=0; for(int i=0;i<nL;i++)Ep+=(i32)e[L][i]*e[L][i];
    i64 x2=0; int x2s=2*c->A0F+c->lr[1]; if(algo==1){for(int k=0;k<nz;k++)x2+=(i32)vl[k]*vl[k]; memset(E1,0,4*n[1]);
      // alpha*|x0|^2 as Q.12
      x2=rs(x2,x2s-12); x2s=12; }
    for(int t=0;t<T;t++){
      int gs=7+c->g, gh=1<<(gs-1);
      for(int l=1;l<L;l++){
        TRU(c,W[l+1],n[l+1],n[l],e[l+1],b);
        i16*xx=x[l],*ee=e[l],*ff=fp[l]; int nn=n[l]; i32 hi=(1<<(XB-1))-1;
        for(int i=0;i<nn;i++){ i32 d=(i32)ff[i]*b[i]-((i32)ee[i]<<7); i32 v=xx[i]+((d+gh)>>gs); v=v>hi?hi:v; v=v<-hi-1?-hi-1:v; xx[i]=v; }
      }
      if(algo!=0){
        for(int l=2;l<=L;l++)updU_i(c,W[l],n[l],n[l-1],e[l],a[l-1],c->lr[l],fast);
        if(algo==1){ for(int i=0;i<n[1];i++){E1[i]+=e[1][i];mu[1][i]=sat32(mu[1][i]+(i32)((((i64)e[1][i]*x2)+2048)>>12),XB);} }
        else { upd1_i(c,W[1],n[1],ix,vl,nz,e[1],fast); FW1(c,W[1],n[1],ix,vl,nz,mu[1]); }
      }
      stats[0]+=1;
      if(algo!=0 && t==T-1)break;
      for(int l=1;l<L;l++){ act_i(c,tab,x[l],a[l],fp[l],n[l]); FWU(c,W[l+1],n[l+1],n[l],a[l],mu[l+1]); }
      for(int l=1;l<=L;l++){i32 hi=(1<<(EB-1))-1;i16*xx=x[l],*mm=mu[l],*ee=e[l];int nn=n[l];for(int i=0;i<nn;i++){i32 d=xx[i]-mm[i];d=d>hi?hi:d;d=d<-hi-1?-hi-1:d;ee[i]=d;}}
      if(c->thr>0){ i64 En=0; for(int l=1;l<=L;l++)for(int i=0;i<n[l];i++)En+=(i32)e[l][i]*e[l][i]; if(Ep-En<c->thr)break; Ep=En; }
    }
    if(algo==0){ for(int l=2;l<=L;l++)updU_i(c,W[l],n[l],n[l-1],e[l],a[l-1],c->lr[l],fast); upd1_i(c,W[1],n[1],ix,vl,nz,e[1],fast); }
    else if(algo==1){ for(int i=0;i<n[1];i++)Es[i]=sat32(E1[i],16); upd1_i(c,W[1],n[1],ix,vl,nz,Es,fast); }
  }
}
int eval_i(const Cfg*c,const i32*tab,const int*n,i16**W,const int*ptr,const int*idx,const i16*val,const uint8_t*y,int N){
  static i16 mu[MN] AL,a[MN] AL,fp[MN] AL; int ok=0,L=c->L,fast=c->fast&&!c->top8;
  for(int m=0;m<N;m++){
    FW1(c,W[1],n[1],idx+ptr[m],val+ptr[m],ptr[m+1]-ptr[m],mu);
    for(int l=1;l<L;l++){act_i(c,tab,mu,a,fp,n[l]);FWU(c,W[l+1],n[l+1],n[l],a,mu);}
    int b=0;for(int i=1;i<n[L];i++)if(mu[i]>mu[b])b=i; ok+=(b==y[m]);
  } return ok;
}
